import { IsoplexError } from '../error/error.ts'
import type { ArtifactFolder } from './artifact.ts'

const root = '/models/'

interface HeldFolder {
  readonly folder: ArtifactFolder
  holders: number
}

/** The artifacts of the models in this worker, as folders that functions' loaders and the engine name by paths. */
export class ModelFolders {
  readonly #held = new Map<string, HeldFolder>()

  /** Holds an artifact until it is released as often; gives the path that it is under meanwhile. */
  hold(folder: ArtifactFolder): string {
    const held = this.#held.get(folder.digest) ?? { folder, holders: 0 }
    held.holders += 1
    this.#held.set(folder.digest, held)
    return root + folder.digest
  }

  /** Lets an artifact go. */
  release({ digest }: ArtifactFolder): void {
    const held = this.#held.get(digest)
    if (!held) return
    held.holders -= 1
    if (held.holders === 0) this.#held.delete(digest)
  }

  /**
   * Reads a file by its path.
   *
   * @throws {IsoplexError} `ARTIFACT_BROKEN` where no artifact that is held has it.
   */
  async read(location: string): Promise<Uint8Array<ArrayBuffer>> {
    const { folder, name } = this.#find(location)
    return folder.read(name)
  }

  /** The names of the files beside a file or below its folder, as seen from that folder. */
  async siblings(location: string): Promise<readonly string[]> {
    const { folder, name } = this.#find(location)
    const place = name.slice(0, name.lastIndexOf('/') + 1)
    return folder.names
      .filter((other) => other !== name && other.startsWith(place))
      .map((other) => other.slice(place.length))
  }

  #find(location: string): { readonly folder: ArtifactFolder; readonly name: string } {
    const [digest = '', ...segments] = location.startsWith(root) ? location.slice(root.length).split('/') : []
    const name = segments.join('/')
    const folder = this.#held.get(digest)?.folder
    if (folder?.names.includes(name)) return { folder, name }
    const has = folder ? `it has ${folder.names.slice(0, 8).join(', ')}` : 'no model that is loaded has it'
    throw new IsoplexError('ARTIFACT_BROKEN', `There is no file "${name || location}"; ${has}.`, {
      details: { reason: 'missing-file' },
    })
  }
}
