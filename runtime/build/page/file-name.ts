import { hashFile } from '../content-hash.ts'

/** The name of a file for pages: what it is, the hash of its content, and its kind. */
export function fileNameOf(stem: string, hash: string, extension: string): string {
  return `${stem.replace(/[^\w.-]/g, '_')}-${hash}.${extension}`
}

/** The hash in the name of a file for pages; `null` where the name is none of these. */
export function hashOfFileName(name: string): string | null {
  return /^[\w.-]+-([0-9a-f]{16})\.(?:js|mjs|wasm|css)$/.exec(name)?.[1] ?? null
}

/** Whether a file is there with the content that its name tells. */
export async function isWhole(path: string, name: string): Promise<boolean> {
  const hash = hashOfFileName(name)
  return hash !== null && (await hashFile(path)) === hash
}
