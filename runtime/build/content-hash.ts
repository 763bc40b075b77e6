/** How many hexadecimal digits a hash has: 64 bits, far from any chance of two contents sharing one. */
const digits = 16

/** The hash of a text, as it stands in the names of bundles. */
export function hashText(text: string): string {
  return hashBytes(Buffer.from(text))
}

/** The hash of some bytes, as it stands in the names of files. */
function hashBytes(bytes: Uint8Array): string {
  return new Bun.CryptoHasher('sha256').update(bytes).digest('hex').slice(0, digits)
}

/** The hash of a file's content, read piece by piece; `null` where there is no file that can be read. */
export async function hashFile(path: string): Promise<string | null> {
  try {
    return await hashStream(Bun.file(path).stream())
  } catch {
    return null
  }
}

/** The hash of what a stream brings. */
export async function hashStream(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const hasher = new Bun.CryptoHasher('sha256')
  for await (const part of stream) hasher.update(part)
  return hasher.digest('hex').slice(0, digits)
}
