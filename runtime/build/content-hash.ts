/** How many hexadecimal digits a hash has: 64 bits, far from any chance of two contents sharing one. */
const digits = 16

/** The hash of a text, as it stands in the names of bundles. */
export function hashText(text: string): string {
  return new Bun.CryptoHasher('sha256').update(text).digest('hex').slice(0, digits)
}

/** The hash of a file's content, read piece by piece; `null` where there is no file that can be read. */
export async function hashFile(path: string): Promise<string | null> {
  const hasher = new Bun.CryptoHasher('sha256')
  try {
    for await (const part of Bun.file(path).stream()) hasher.update(part)
  } catch {
    return null
  }
  return hasher.digest('hex').slice(0, digits)
}
