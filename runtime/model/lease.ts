import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isJsonObject, readJsonFile } from './json-file.ts'
import { createProcessMark, isLeftBehind } from './process-mark.ts'
import type { Staging } from './staging.ts'
import { isStorageFull } from './storage-error.ts'
import { createTurns } from './turns.ts'

const claimMs = 1_200_000
/** What is left of a claim at least when it is given. */
const leastClaimMs = 600_000
/** How old a lease file becomes at most while it is used: another machine takes an old one for a dead one's. */
const refreshMs = 3_600_000

interface LeaseContent {
  readonly held: readonly string[]
  /** By digest: until when, in milliseconds since 1970. */
  readonly claims: Readonly<Record<string, number>>
}

/**
 * The artifacts that this process needs, in a file that all processes of the store can read. Whoever prunes leaves
 * them alone as long as this process lives.
 */
export class Lease {
  readonly #path: string
  readonly #staging: Staging
  readonly #saves = createTurns<void>()
  readonly #claims = new Map<string, number>()
  #held: ReadonlySet<string> = new Set()
  #saved: Promise<void> = Promise.resolve()
  #savedAtMs = 0

  constructor(directory: string, staging: Staging) {
    this.#path = join(directory, createProcessMark())
    this.#staging = staging
  }

  /** Holds these artifacts, and no others any more, until the next call or the end of the process. */
  async hold(digests: Iterable<string>): Promise<void> {
    this.#held = new Set(digests)
    await this.#save()
  }

  /**
   * Holds an artifact for ten minutes at least, whatever else is held. It need not be in the store. On a full disk it
   * is not held: what is there is better used than refused.
   *
   * @returns whether it was held before already: who prunes just now may not know of a new claim yet.
   */
  async claim(digest: string): Promise<boolean> {
    try {
      return await this.#claim(digest)
    } catch (error) {
      if (!isStorageFull(error)) throw error
      return false
    }
  }

  async #claim(digest: string): Promise<boolean> {
    const nowMs = Date.now()
    const untilMs = this.#claims.get(digest) ?? 0
    const claimed = untilMs - nowMs > leastClaimMs
    if (!claimed) this.#claims.set(digest, nowMs + claimMs)
    const saved = claimed && nowMs - this.#savedAtMs < refreshMs
    await (saved ? this.#saved : this.#save())
    return saved
  }

  #save(): Promise<void> {
    this.#saved = this.#saves.take('', () => this.#write())
    return this.#saved
  }

  async #write(): Promise<void> {
    const nowMs = Date.now()
    for (const [digest, untilMs] of this.#claims) if (untilMs <= nowMs) this.#claims.delete(digest)
    const content: LeaseContent = { held: [...this.#held], claims: Object.fromEntries(this.#claims) }
    this.#savedAtMs = nowMs
    try {
      await this.#staging.writeSmall(this.#path, JSON.stringify(content))
    } catch (error) {
      // Nothing counts as claimed that no other process can read.
      this.#claims.clear()
      throw error
    }
  }
}

/** The artifacts that living processes need now. */
export async function readLeases(directory: string): Promise<ReadonlySet<string>> {
  const digests = new Set<string>()
  for (const name of await readdir(directory)) {
    const path = join(directory, name)
    if (await isLeftBehind(path, name)) continue
    const { held, claims } = await readLease(path)
    for (const digest of held) digests.add(digest)
    for (const [digest, untilMs] of Object.entries(claims)) if (untilMs > Date.now()) digests.add(digest)
  }
  return digests
}

async function readLease(path: string): Promise<LeaseContent> {
  const content = await readJsonFile(path)
  const { held, claims } = isJsonObject(content) ? content : {}
  return {
    held: Array.isArray(held) ? held.filter((digest) => typeof digest === 'string') : [],
    claims: isJsonObject(claims) ? toClaims(claims) : {},
  }
}

function toClaims(claims: Readonly<Record<string, unknown>>): Readonly<Record<string, number>> {
  const pairs = Object.entries(claims)
  return Object.fromEntries(pairs.filter((pair): pair is [string, number] => typeof pair[1] === 'number'))
}
