import type { ErrorCode } from '../error/codes.ts'
import { BoundedFamily } from '../observe/bounded-family.ts'
import { Distribution } from '../observe/distribution.ts'
import { NamedCounts } from '../observe/named-counts.ts'
import type { DepartureReason } from './residency-report.ts'

/** Why requests were taken out of a runner's hands and run again. */
export type RerunCause =
  /** The replica's process died. */
  | 'crashed'
  /** The runner's thread ended by itself. */
  | 'ended'
  /** The gateway ended the runner, or the replica, for another's fault. */
  | 'terminated'

/** Why a fresh replica took the place of another. */
export type RestartCause =
  /** Its process died while it served. */
  | 'crashed'
  /** It died before it was ready, or was not ready in time. */
  | 'start'
  /** It was beyond `maxReplicaBytes`. */
  | 'memory'
  /** It had had `maxReplicaLoads` loads. */
  | 'loads'
  /** It did not do what it was told, or said nothing for too long. */
  | 'unresponsive'

/** A model as metrics name it. */
export interface TalliedModel {
  readonly id: string
  readonly version: string
}

// From a tenth of a millisecond, which a small model takes, to the longest that requests and loads usually may.
const durationBounds = [
  0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
]
const loadBounds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]
const batchBounds = [1, 2, 4, 8, 16, 32, 64, 128, 256]
const mostModels = 100
const mostPrincipals = 100

/**
 * What is counted of one model of one function, or of a function without a model: held by its queue, so that
 * nothing is looked up when a request comes.
 */
export class ModelTally {
  readonly functionName: string
  /** `null` for a function without a model. */
  readonly model: TalliedModel | 'other' | null
  /** Requests that were answered, whatever status the function gave its answer. */
  successes = 0
  /** Requests that failed after they were taken, by the code of their error. */
  readonly failures = new NamedCounts<ErrorCode>()
  /** From arrival to the answer's first byte, of answered requests, in seconds. */
  readonly requestSeconds = new Distribution(durationBounds)
  /** From arrival to a runner's hands, each time that a request is sent to one, in seconds. */
  readonly queueSeconds = new Distribution(durationBounds)
  /** Requests of each batch that was sent. */
  readonly batchSizes = new Distribution(batchBounds)
  /** The function's own work on each batch, in seconds. */
  readonly computeSeconds = new Distribution(durationBounds)
  /** From the order to a runner that is up, of loads that came up, in seconds. */
  readonly loadSeconds = new Distribution(loadBounds)
  /** Loads that failed, by the code of their error. */
  readonly loadFailures = new NamedCounts<ErrorCode>()
  /** Runners that have left, by why. */
  readonly departures = new NamedCounts<DepartureReason>()
  /** Requests that were run again, by why. */
  readonly reruns = new NamedCounts<RerunCause>()

  constructor(functionName: string, model: ModelTally['model']) {
    this.functionName = functionName
    this.model = model
  }

  /** A request was answered, so long after it had arrived. */
  succeeded(durationMs: number): void {
    this.successes += 1
    this.requestSeconds.add(durationMs / 1_000)
  }

  /** A request failed after it had been taken. */
  failed(code: ErrorCode): void {
    this.failures.add(code)
  }

  /** A request of a batch goes to a runner, so long after it had arrived. */
  waited(waitMs: number): void {
    this.queueSeconds.add(waitMs / 1_000)
  }

  /** A batch of so many requests goes to a runner. */
  sent(requests: number): void {
    this.batchSizes.add(requests)
  }

  /** The function has worked on a batch for so long. */
  computed(durationMs: number): void {
    this.computeSeconds.add(durationMs / 1_000)
  }

  /** A runner came up, so long after it had been ordered. */
  loaded(durationMs: number): void {
    this.loadSeconds.add(durationMs / 1_000)
  }

  /** A runner did not come up. */
  loadFailed(code: ErrorCode): void {
    this.loadFailures.add(code)
  }

  /** A runner has left. */
  left(reason: DepartureReason): void {
    this.departures.add(reason)
  }

  /** A request is run again. */
  ranAgain(cause: RerunCause): void {
    this.reruns.add(cause)
  }
}

/** What is counted of one caller, or of all those together that have no tally of their own. */
export class PrincipalTally {
  /** `null` for all those that have no tally of their own. */
  readonly principal: string | null
  /** Requests that were handed to the scheduler. */
  requests = 0
  /** Requests that were not taken, by the code of their error. */
  readonly rejections = new NamedCounts<ErrorCode>()

  constructor(principal: string | null) {
    this.principal = principal
  }
}

/**
 * What a gateway counts: it is filled where something happens, and read when somebody asks for metrics. What callers
 * bring with them is bounded: the first 100 models of each function and the first 100 principals have tallies of
 * their own, all others share one.
 */
export class Tallies {
  /** Requests that were refused before they waited for a runner, by the code of their error. */
  readonly rejections = new NamedCounts<ErrorCode>()
  /** Replicas in whose place others came, by why. */
  readonly restarts = new NamedCounts<RestartCause>()
  readonly #functions = new Map<string, BoundedFamily<TalliedModel, ModelTally>>()
  readonly #modelless = new Map<string, ModelTally>()
  readonly #principals = new BoundedFamily<string, PrincipalTally>({
    most: mostPrincipals,
    create: (principal) => new PrincipalTally(principal),
  })

  /** Every tally of a function and a model. */
  get models(): readonly ModelTally[] {
    return [...this.#modelless.values(), ...[...this.#functions.values()].flatMap(({ members }) => members)]
  }

  /** Every tally of a principal. */
  get principals(): readonly PrincipalTally[] {
    return this.#principals.members
  }

  /** The tally of a function and a model, to be held by whoever counts. */
  model(functionName: string, model: TalliedModel | null): ModelTally {
    if (model === null) {
      const known = this.#modelless.get(functionName)
      if (known) return known
      const tally = new ModelTally(functionName, null)
      this.#modelless.set(functionName, tally)
      return tally
    }
    const { id, version } = model
    return this.#familyOf(functionName).of(`${id}@${version}`, { id, version })
  }

  /** The tally of a principal. */
  principal(name: string): PrincipalTally {
    return this.#principals.of(name, name)
  }

  #familyOf(functionName: string): BoundedFamily<TalliedModel, ModelTally> {
    const known = this.#functions.get(functionName)
    if (known) return known
    const family = new BoundedFamily<TalliedModel, ModelTally>({
      most: mostModels,
      create: (model) => new ModelTally(functionName, model ?? 'other'),
    })
    this.#functions.set(functionName, family)
    return family
  }
}
