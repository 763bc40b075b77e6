import { admit, type Resident } from '../cache/residency.ts'
import { isInUse, tryRemoving } from './artifact-lock.ts'
import type { ArtifactShelf, KeptArtifact } from './artifact-shelf.ts'
import type { KeptFacts } from './kept-facts.ts'

/** Where room is made. */
export interface RoomOptions {
  readonly shelf: ArtifactShelf
  /** When artifacts were last used. */
  readonly usage: Pick<KeptFacts, 'get'>
}

/** What room is wanted. */
export interface WantedRoom extends KeptArtifact {
  /** The most bytes that may be kept with it. */
  readonly maxKeptBytes: number
}

/**
 * Removes what was used longest ago and nobody uses, until an artifact fits among what is kept. Gives `false`, and
 * removes nothing, where it would not fit all the same.
 */
export async function makeRoom({ shelf, usage }: RoomOptions, wanted: WantedRoom): Promise<boolean> {
  const others = (await shelf.list()).filter(({ digest }) => digest !== wanted.digest)
  const residents = await Promise.all(others.map((kept) => toResident(kept, usage)))
  const newcomer = { replica: 0, group: '', principal: '', bytes: wanted.bytes }
  const admission = admit(residents, newcomer, {
    maxInGroup: Number.POSITIVE_INFINITY,
    maxInReplica: Number.POSITIVE_INFINITY,
    maxBytesInReplica: wanted.maxKeptBytes,
    maxBytesOfPrincipal: Number.POSITIVE_INFINITY,
  })
  if (admission.outcome !== 'full') return admission.outcome === 'admitted'
  const removed = await Promise.all(
    admission.victims.map(({ resident: { key } }) => tryRemoving(key, () => shelf.remove(key))),
  )
  return removed.every(Boolean)
}

/** The bytes of all that is kept beside an artifact. */
export async function bytesBeside(shelf: ArtifactShelf, digest: string): Promise<number> {
  const kept = await shelf.list()
  return kept.reduce((sum, { digest: other, bytes }) => sum + (other === digest ? 0 : bytes), 0)
}

async function toResident(
  { digest, bytes }: KeptArtifact,
  usage: RoomOptions['usage'],
): Promise<Resident<string>> {
  const usedAtMs = await usage.get(digest)
  return {
    key: digest,
    replica: 0,
    group: '',
    principal: '',
    bytes,
    standing: 'idle',
    pinned: await isInUse(digest),
    lastUsedMs: typeof usedAtMs === 'number' ? usedAtMs : 0,
  }
}
