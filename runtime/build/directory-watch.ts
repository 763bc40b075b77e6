import { type FSWatcher, watch } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Who wants to know what happens in the watched folders. */
export interface DirectoryEvents {
  /** Something has happened at a path: a file or folder was made, written, renamed or removed. */
  onEvent(path: string): void
  onError(error: Error): void
}

/** A folder to watch; with what is below it, or only what lies in it itself. */
export interface WatchedDirectory {
  readonly directory: string
  readonly recursive: boolean
}

interface Attachment {
  readonly watcher: FSWatcher
  /** Which folder it is attached to, since another may come to stand under the same name. */
  readonly identity: string
}

/** Watches folders that may go and come back. */
export class DirectoryWatches implements Disposable {
  readonly #events: DirectoryEvents
  readonly #attachments = new Map<string, Attachment>()

  constructor(events: DirectoryEvents) {
    this.#events = events
  }

  /**
   * Watches these folders and no others, as far as they exist: to be called again when one may have gone or
   * come. Name folders before what is in them, so that none can come unnoticed in between. Gives those that were
   * not watched until now, in which anything may have happened.
   */
  async watch(wanted: readonly WatchedDirectory[]): Promise<readonly string[]> {
    const names = new Set(wanted.map(({ directory }) => directory))
    for (const directory of this.#attachments.keys()) if (!names.has(directory)) this.#detach(directory)
    const attached: string[] = []
    for (const each of wanted) if (await this.#attach(each)) attached.push(each.directory)
    return attached
  }

  [Symbol.dispose](): void {
    for (const directory of [...this.#attachments.keys()]) this.#detach(directory)
  }

  async #attach({ directory, recursive }: WatchedDirectory): Promise<boolean> {
    const identity = await identityOf(directory)
    if (identity === (this.#attachments.get(directory)?.identity ?? null)) return false
    this.#detach(directory)
    if (identity === null) return false
    try {
      const watcher = watch(directory, { recursive }, (_, name) => {
        // An event without a name is about the folder itself.
        this.#events.onEvent(name ? join(directory, name) : directory)
      })
      watcher.on('error', (error) => this.#fail(directory, error))
      this.#attachments.set(directory, { watcher, identity })
      return true
    } catch (error) {
      if (!isAbsence(error)) this.#fail(directory, error)
      return false
    }
  }

  #detach(directory: string): void {
    this.#attachments.get(directory)?.watcher.close()
    this.#attachments.delete(directory)
  }

  #fail(directory: string, error: unknown): void {
    this.#detach(directory)
    this.#events.onError(new Error(`The folder ${directory} cannot be watched: ${error}`, { cause: error }))
  }
}

async function identityOf(directory: string): Promise<string | null> {
  const facts = await stat(directory).catch(() => null)
  return facts?.isDirectory() ? `${facts.dev}:${facts.ino}:${facts.birthtimeMs}` : null
}

function isAbsence(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
