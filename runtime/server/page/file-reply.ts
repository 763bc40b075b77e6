import { stat } from 'node:fs/promises'
import { extname } from 'node:path'
import { hashOfFileName } from '../../build/page/file-name.ts'
import { matchesTag } from '../entity-tag.ts'
import { acceptedEncodings } from './accepted-encoding.ts'
import type { CompressedFiles } from './compressed-files.ts'
import type { PageFile } from './page-files.ts'

const mediaTypes: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.wasm': 'application/wasm',
}

/** How long a file may be kept: for good, or until it is asked for again, where the name may come to mean another. */
export type Keeping = 'immutable' | 'revalidated'

const cacheControls: Readonly<Record<Keeping, string>> = {
  immutable: 'public, max-age=31536000, immutable',
  revalidated: 'no-cache',
}

/** What lets pages of any origin load a file, also ones that are isolated from others, and never as something else. */
export const sharedHeaders: Readonly<Record<string, string>> = Object.freeze({
  'cross-origin-resource-policy': 'cross-origin',
  'x-content-type-options': 'nosniff',
})

/**
 * What a script brings along for the case that it is started as a worker: an isolated page takes no other worker than
 * one that asks for isolation itself, and a worker's rules are those of its own reply.
 */
const workerHeaders: Readonly<Record<string, string>> = {
  'cross-origin-embedder-policy': 'require-corp',
  'content-security-policy': "script-src 'self' 'wasm-unsafe-eval'",
}

/**
 * Answers with a file for pages, compressed where the client takes it and it is there so; `null` where the file is
 * not there any more. Its entity tag is the hash of its content and the encoding. Ranges are not served.
 */
export async function fileReply(
  { headers }: Request,
  file: PageFile,
  keeping: Keeping,
  compressed: CompressedFiles,
): Promise<Response | null> {
  const plain = await stat(file.path).catch(() => null)
  if (!plain) return null
  const sent = await choose(file, headers.get('accept-encoding'), compressed)
  const tag = `"${hashOfFileName(file.name)}${sent ? `-${sent.encoding}` : ''}"`
  const extension = extname(file.name)
  const common = {
    etag: tag,
    vary: 'accept-encoding',
    'cache-control': cacheControls[keeping],
    ...sharedHeaders,
    ...(extension === '.js' || extension === '.mjs' ? workerHeaders : {}),
  }
  if (matchesTag(headers.get('if-none-match'), tag))
    return new Response(null, { status: 304, headers: common })
  const { path, sizeBytes } = sent ?? { path: file.path, sizeBytes: plain.size }
  // Bun would follow a range by its own rules wherever a file is sent without this header.
  const whole = headers.has('range') ? { 'content-range': `bytes 0-${sizeBytes - 1}/${sizeBytes}` } : {}
  return new Response(Bun.file(path), {
    headers: {
      ...common,
      ...whole,
      'content-type': mediaTypes[extension] ?? 'application/octet-stream',
      ...(sent ? { 'content-encoding': sent.encoding } : {}),
    },
  })
}

async function choose(
  file: PageFile,
  header: string | null,
  compressed: CompressedFiles,
): Promise<{ encoding: string; path: string; sizeBytes: number } | null> {
  for (const encoding of acceptedEncodings(header)) {
    const found = await compressed.find(file, encoding)
    if (found) return { encoding, ...found }
  }
  return null
}
