import { IsoplexError, isIsoplexError } from '../error/error.ts'
import type { ArtifactFolder, ArtifactStore, ObtainOptions } from './artifact.ts'
import { broken, downloadArtifact } from './artifact-download.ts'
import { ArtifactDraft } from './artifact-draft.ts'
import { openArtifactFolder } from './artifact-folder.ts'
import { holdForUse, holdForWriting, type Release } from './artifact-lock.ts'
import { announceProgress, followProgress } from './artifact-progress.ts'
import { bytesBeside, makeRoom } from './artifact-room.ts'
import { type ArtifactShelf, openArtifactShelf } from './artifact-shelf.ts'
import { createKeptFacts, type KeptFacts } from './kept-facts.ts'
import type { PageModel } from './model.ts'
import { sha256Of } from './sha256.ts'

/** An artifact that is there as long as the worker lives, and has to be downloaded again by the next. */
export interface UnkeptArtifact {
  readonly digest: string
  readonly bytes: number
  /**
   * `room`: it does not fit into what may be kept or what the browser has room for, or somebody else holds its file.
   * `refused`: the browser keeps nothing for this page.
   */
  readonly reason: 'room' | 'refused'
}

/** How a page keeps artifacts. */
export interface ArtifactStoreOptions {
  /** The most bytes that are kept; what was used longest ago goes first. @default 4294967296 */
  readonly maxKeptBytes?: number
  /** How long nothing may come before a download counts as broken off, in milliseconds. @default 30000 */
  readonly idleTimeoutMs?: number
  /** Hears of each artifact that could not be kept. It can be used all the same. @default none */
  readonly onUnkept?: (artifact: UnkeptArtifact) => void
}

const defaultMaxKeptBytes = 4_294_967_296
const defaultIdleTimeoutMs = 30_000

/**
 * Makes the store of a worker. Artifacts are kept in files of the browser's own, which all tabs of the origin share:
 * one downloads, the others wait for it. A download that was cut off goes on at the next time, be it in another tab.
 * What is kept is checked against its digest each time before it is used, and downloaded again where it was altered.
 * A folder holds its artifact for use: it is not removed to make room before the folder is no longer referred to. What
 * is on its way while all is cleared stays.
 */
export function createArtifactStore(options: ArtifactStoreOptions = {}): ArtifactStore {
  return new PageArtifactStore(options)
}

class PageArtifactStore implements ArtifactStore {
  readonly #options: ArtifactStoreOptions
  readonly #usage: KeptFacts = createKeptFacts('artifact-usage')
  /** What could not be kept, by its digest. */
  readonly #unkept = new Map<string, Blob>()
  /** Whoever has a folder uses its artifact; there is no other sign of having done with it. */
  readonly #folders = new FinalizationRegistry<Release>((release) => release())

  constructor(options: ArtifactStoreOptions) {
    this.#options = options
  }

  async obtain(model: PageModel, options: ObtainOptions): Promise<ArtifactFolder> {
    const { digest } = model
    assertNamed(model)
    const release = await holdForUse(digest, options.signal)
    try {
      const known = this.#unkept.get(digest)
      if (known) this.#remember(digest, known)
      const blob = known ?? (await this.#find(model, options))
      await this.#usage.set(digest, Date.now())
      const folder = await openArtifactFolder(digest, blob)
      this.#folders.register(folder, release)
      return folder
    } catch (error) {
      release()
      throw error
    }
  }

  async clear(): Promise<void> {
    this.#unkept.clear()
    const shelf = await openArtifactShelf()
    const kept = (await shelf?.list()) ?? []
    await Promise.all(kept.map(({ digest }) => shelf?.remove(digest)))
    await this.#usage.clear()
  }

  async #find(model: PageModel, options: ObtainOptions): Promise<Blob> {
    const shelf = await openArtifactShelf()
    const kept = await findWhole(shelf, model)
    if (kept !== null) return kept
    const follower = followProgress(model.digest, (doneBytes) =>
      options.onProgress(doneBytes, model.sizeBytes),
    )
    const release = await holdForWriting(model.digest, options.signal).finally(follower.end)
    try {
      // Another tab may have brought it meanwhile.
      return (await findWhole(shelf, model)) ?? (await this.#bring(shelf, model, options))
    } finally {
      release()
    }
  }

  /** Downloads an artifact; one that is not what it should be, once more from its start. */
  async #bring(shelf: ArtifactShelf | null, model: PageModel, options: ObtainOptions): Promise<Blob> {
    const kept = await shelf?.find(model.digest)
    if (kept && kept.size >= model.sizeBytes) await shelf?.remove(model.digest)
    try {
      return await this.#download(shelf, model, options)
    } catch (error) {
      if (!isIsoplexError(error) || error.code !== 'ARTIFACT_BROKEN') throw error
    }
    await shelf?.remove(model.digest)
    try {
      return await this.#download(shelf, model, options)
    } catch (error) {
      if (isIsoplexError(error) && error.code === 'ARTIFACT_BROKEN') await shelf?.remove(model.digest)
      throw error
    }
  }

  async #download(shelf: ArtifactShelf | null, model: PageModel, options: ObtainOptions): Promise<Blob> {
    const { digest, sizeBytes } = model
    const { idleTimeoutMs = defaultIdleTimeoutMs, onUnkept } = this.#options
    using draft = await this.#openDraft(shelf, model)
    using announcer = announceProgress(digest)
    const onProgress = (doneBytes: number, totalBytes: number): void => {
      announcer.tell(doneBytes, totalBytes)
      options.onProgress(doneBytes, totalBytes)
    }
    const { baseUrl, signal, renew } = options
    await downloadArtifact(model, draft, { baseUrl, signal, renew, onProgress, idleTimeoutMs })
    const { isKept } = draft
    const blob = await draft.finish()
    if ((await sha256Of(blob)) !== digest) throw broken('checksum', 'does not have its checksum')
    if (isKept) return blob
    this.#remember(digest, blob)
    onUnkept?.({ digest, bytes: sizeBytes, reason: shelf === null ? 'refused' : 'room' })
    return blob
  }

  /** Memory is not for all that ever came: what was used longest ago goes, but for the newest. */
  #remember(digest: string, blob: Blob): void {
    const { maxKeptBytes = defaultMaxKeptBytes } = this.#options
    this.#unkept.delete(digest)
    let bytes = blob.size
    for (const other of this.#unkept.values()) bytes += other.size
    for (const [oldest, { size }] of this.#unkept) {
      if (bytes <= maxKeptBytes) break
      this.#unkept.delete(oldest)
      bytes -= size
    }
    this.#unkept.set(digest, blob)
  }

  async #openDraft(shelf: ArtifactShelf | null, { digest, sizeBytes }: PageModel): Promise<ArtifactDraft> {
    const { maxKeptBytes = defaultMaxKeptBytes } = this.#options
    const room = shelf && { shelf, usage: this.#usage }
    const fits = room !== null && (await makeRoom(room, { digest, bytes: sizeBytes, maxKeptBytes }))
    return ArtifactDraft.open({
      digest,
      shelf: fits ? shelf : null,
      async makeRoom(bytes) {
        if (room === null) return false
        const beside = await bytesBeside(room.shelf, digest)
        return beside > 0 && makeRoom(room, { digest, bytes: Math.min(bytes, beside), maxKeptBytes: beside })
      },
    })
  }
}

/** What is kept of an artifact, where that is all of it, and as it should be. */
async function findWhole(
  shelf: ArtifactShelf | null,
  { digest, sizeBytes }: PageModel,
): Promise<Blob | null> {
  const kept = (await shelf?.find(digest)) ?? null
  if (kept?.size !== sizeBytes) return null
  // A file that cannot be read is as good as none.
  return (await sha256Of(kept).catch(() => null)) === digest ? kept : null
}

/** Names of files are made of digests. */
function assertNamed({ digest, sizeBytes }: PageModel): void {
  if (/^[0-9a-f]{64}$/.test(digest) && Number.isSafeInteger(sizeBytes) && sizeBytes > 0) return
  throw new IsoplexError('ARTIFACT_BROKEN', 'The server names no artifact of the model.', {
    details: { reason: 'unnamed' },
  })
}
