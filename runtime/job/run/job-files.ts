import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { FileContent, JobFiles } from '../../define/action-context.ts'
import { isMediaType } from '../../define/file-value.ts'
import type { ActionHost } from '../message.ts'
import { writeScratchFile } from './scratch-file.ts'

/** What the files of a job are kept with. */
export interface JobFilesOptions {
  readonly host: Pick<ActionHost, 'keepFile' | 'listFiles' | 'fetchFile'>
  /** A folder that is this job's alone, for files on their way. */
  readonly directory: string
  /** The most that one file may come to, in bytes; all together are held to it by the host. */
  readonly maxBytes: number
}

const nameForm = /^(?!\.)[\w.-]{1,128}$/

/** Makes the files of a job as an action sees them: each is written aside, as it comes, and kept once it is whole. */
export function createJobFiles({ host, directory, maxBytes }: JobFilesOptions): JobFiles {
  const place = (): string => join(directory, `file-${crypto.randomUUID()}`)
  return Object.freeze({
    async write(name: string, content: FileContent, options: { readonly mediaType?: string } = {}) {
      assertName(name)
      const { mediaType = mediaTypeOf(name) } = options
      if (!isMediaType(mediaType)) {
        throw new TypeError(
          `"mediaType" must be a name such as text/csv, without parameters; got ${mediaType}.`,
        )
      }
      const path = place()
      await writeScratchFile(path, piecesOf(content), maxBytes)
      try {
        await host.keepFile({ name, mediaType, path })
      } finally {
        await rm(path, { force: true })
      }
    },
    async read(name: string) {
      assertName(name)
      const kept = await host.listFiles()
      if (!kept.some((file) => file.name === name)) throw new TypeError(`The job has no file "${name}".`)
      const path = place()
      try {
        await host.fetchFile(name, path)
        return new Uint8Array(await readFile(path))
      } finally {
        await rm(path, { force: true })
      }
    },
    list: () => host.listFiles(),
  })
}

function assertName(name: string): void {
  if (typeof name === 'string' && nameForm.test(name)) return
  throw new TypeError(
    `A file's name must be 1 to 128 letters, digits and _ . - and not begin with a dot; got ${JSON.stringify(name)}.`,
  )
}

function piecesOf(content: FileContent): Exclude<FileContent, string | Uint8Array> {
  return typeof content === 'string' || content instanceof Uint8Array ? [content] : content
}

/** The media type that a name's ending stands for; `application/octet-stream` where it stands for none. */
function mediaTypeOf(name: string): string {
  return Bun.file(name).type.split(';', 1)[0] ?? 'application/octet-stream'
}
