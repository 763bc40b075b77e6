import { type Admission, admit, type Resident as Occupant } from '../cache/residency.ts'
import { IsoplexError } from '../error/error.ts'
import type { Resident } from './resident.ts'

/** How many models of one function are kept where it does not say; the server's default. */
const defaultModels = 3

/** How much a worker keeps loaded. */
export interface ResidenceOptions {
  readonly maxModelBytes: number
  /** Is told of a resident that could not be taken down. */
  readonly failed: (resident: Resident, error: unknown) => void
}

/**
 * What is loaded in a worker, within its limits by the server's own policy: a newcomer comes up beside the others, and
 * then those leave that must, the least recently used first. Whatever these have in hand, they finish.
 */
export class Residence {
  readonly #options: ResidenceOptions
  readonly #residents = new Map<string, Resident>()
  readonly #leaving = new Set<Resident>()

  constructor(options: ResidenceOptions) {
    this.#options = options
  }

  /** The resident that takes requests for a key. */
  get(key: string): Resident | undefined {
    return this.#residents.get(key)
  }

  /** All who may have requests in hand. */
  *all(): Generator<Resident> {
    yield* this.#residents.values()
    yield* this.#leaving
  }

  /** Takes one in that comes up. */
  add(resident: Resident): void {
    this.#residents.set(resident.options.key, resident)
  }

  /** Forgets one that did not come up. */
  remove(resident: Resident): void {
    const { key } = resident.options
    if (this.#residents.get(key) === resident) this.#residents.delete(key)
  }

  /** @throws {IsoplexError} `MODEL_TOO_LARGE` where there is no room for one even alone */
  assertFits(newcomer: Resident): void {
    const admission = this.#admissionOf(newcomer)
    if (admission.outcome !== 'too-large') return
    const { id: model = '' } = newcomer.options.model ?? {}
    const { bytes } = newcomer
    const { limitBytes } = admission
    throw new IsoplexError(
      'MODEL_TOO_LARGE',
      `Model "${model}" takes ${bytes} bytes, and this page keeps ${limitBytes}; raise "maxModelBytes", or ask the server.`,
      { details: { model, bytes, limitBytes } },
    )
  }

  /** Sends those away who must make room for one that has come up. */
  makeRoomFor(newcomer: Resident): void {
    const admission = this.#admissionOf(newcomer)
    if (admission.outcome !== 'full') return
    for (const { resident } of admission.victims) this.#evict(resident.key)
  }

  #evict(victim: Resident): void {
    if (this.#leaving.has(victim)) return
    this.remove(victim)
    this.#leaving.add(victim)
    victim
      .leave()
      .catch((error: unknown) => this.#options.failed(victim, error))
      .finally(() => this.#leaving.delete(victim))
  }

  #admissionOf(newcomer: Resident): Admission<Resident> {
    const { name: group, definition } = newcomer.options
    const others = [...this.all()].filter((resident) => resident.isUp && resident !== newcomer)
    const limits = {
      maxInGroup: definition.model ? (definition.model.maxModelsPerReplica ?? defaultModels) : 1,
      maxInReplica: Number.POSITIVE_INFINITY,
      maxBytesInReplica: this.#options.maxModelBytes,
      maxBytesOfPrincipal: Number.POSITIVE_INFINITY,
    }
    return admit(others.map(occupantOf), { replica: 0, group, principal: '', bytes: newcomer.bytes }, limits)
  }
}

function occupantOf(resident: Resident): Occupant<Resident> {
  const { bytes, standing, lastUsedMs } = resident
  const group = resident.options.name
  return { key: resident, replica: 0, group, principal: '', bytes, standing, pinned: false, lastUsedMs }
}
