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
const mostCallPairs = 100

/** The distributions of one function, of all its models together: a histogram for each would be too many. */
export class FunctionTally {
  readonly name: string
  /** From arrival to the answer's first byte, of answered requests, in seconds. */
  readonly requestSeconds: Distribution = new Distribution(durationBounds)
  /** From arrival to a runner's hands, each time that a request is sent to one, in seconds. */
  readonly queueSeconds: Distribution = new Distribution(durationBounds)
  /** The function's own work on each batch, in seconds. */
  readonly computeSeconds: Distribution = new Distribution(durationBounds)
  /** Requests of each batch that was sent. */
  readonly batchSizes: Distribution = new Distribution(batchBounds)
  /** From the order to a runner that is up, of loads that came up, in seconds. */
  readonly loadSeconds: Distribution = new Distribution(loadBounds)
  /** By model: the first so many have tallies of their own. */
  readonly #models: BoundedFamily<TalliedModel, ModelTally> = new BoundedFamily({
    most: mostModels,
    create: (model) => new ModelTally(this, model ?? 'other'),
  })
  #modelless: ModelTally | null = null

  constructor(name: string) {
    this.name = name
  }

  /** Every tally of a model, and that of none. */
  get models(): readonly ModelTally[] {
    const { members } = this.#models
    return this.#modelless === null ? members : [this.#modelless, ...members]
  }

  /** The tally of a model; of `null`, what is counted without one. */
  model(model: TalliedModel | null): ModelTally {
    if (model === null) {
      this.#modelless ??= new ModelTally(this, null)
      return this.#modelless
    }
    const { id, version } = model
    return this.#models.of(`${id}@${version}`, { id, version })
  }
}

/**
 * What is counted of one model of one function, or of a function without a model: held by its queue, so that
 * nothing is looked up when a request comes.
 */
export class ModelTally {
  readonly function: FunctionTally
  /** `null` for a function without a model, `other` for all models beyond the bound. */
  readonly model: TalliedModel | 'other' | null
  /** Requests that were answered, whatever status the function gave its answer. */
  successes = 0
  /** Requests that failed after they were taken, by the code of their error. */
  readonly failures: NamedCounts<ErrorCode> = new NamedCounts()
  /** Requests that were sent to runners. */
  inferences = 0
  /** Batches that were sent to runners. */
  executions = 0
  /** The sum of the waits of requests, in seconds. */
  queueSeconds = 0
  /** The sum of the function's own work on batches, in seconds. */
  computeSeconds = 0
  /** Loads that came up. */
  loads = 0
  /** Loads that failed, by the code of their error. */
  readonly loadFailures: NamedCounts<ErrorCode> = new NamedCounts()
  /** Runners that have left, by why. */
  readonly departures: NamedCounts<DepartureReason> = new NamedCounts()
  /** Requests that were run again, by why. */
  readonly reruns: NamedCounts<RerunCause> = new NamedCounts()

  constructor(fn: FunctionTally, model: ModelTally['model']) {
    this.function = fn
    this.model = model
  }

  /** A request was answered, so long after it had arrived. */
  succeeded(durationMs: number): void {
    this.successes += 1
    this.function.requestSeconds.add(durationMs / 1_000)
  }

  /** A request failed after it had been taken. */
  failed(code: ErrorCode): void {
    this.failures.add(code)
  }

  /** A request of a batch goes to a runner, so long after it had arrived. */
  waited(waitMs: number): void {
    const seconds = waitMs / 1_000
    this.queueSeconds += seconds
    this.function.queueSeconds.add(seconds)
  }

  /** A batch of so many requests goes to a runner. */
  sent(requests: number): void {
    this.inferences += requests
    this.executions += 1
    this.function.batchSizes.add(requests)
  }

  /** The function has worked on a batch for so long. */
  computed(durationMs: number): void {
    const seconds = durationMs / 1_000
    this.computeSeconds += seconds
    this.function.computeSeconds.add(seconds)
  }

  /** A runner came up, so long after it had been ordered. */
  loaded(durationMs: number): void {
    this.loads += 1
    this.function.loadSeconds.add(durationMs / 1_000)
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
  readonly rejections: NamedCounts<ErrorCode> = new NamedCounts()

  constructor(principal: string | null) {
    this.principal = principal
  }
}

/** Who calls whom. */
export interface CallPair {
  readonly caller: string
  readonly callee: string
}

/** What is counted of the calls that one function makes of another, or of all pairs that have no tally of their own. */
export class CallTally {
  /** `null` for all those that have no tally of their own. */
  readonly pair: CallPair | null
  /** Calls that were answered, be it by a stream that broke off later. */
  successes = 0
  /** Calls that failed, by the code of their error. */
  readonly failures: NamedCounts<ErrorCode> = new NamedCounts()

  constructor(pair: CallPair | null) {
    this.pair = pair
  }
}

/**
 * What a gateway counts: it is filled where something happens, and read when somebody asks for metrics. What callers
 * bring with them is bounded: the first 100 models of each function and the first 100 principals have tallies of
 * their own, all others share one.
 */
export class Tallies {
  /** Requests that were refused before they waited for a runner, by the code of their error. */
  readonly rejections: NamedCounts<ErrorCode> = new NamedCounts()
  /** Replicas in whose place others came, by why. */
  readonly restarts: NamedCounts<RestartCause> = new NamedCounts()
  readonly #functions = new Map<string, FunctionTally>()
  readonly #principals = new BoundedFamily<string, PrincipalTally>({
    most: mostPrincipals,
    create: (principal) => new PrincipalTally(principal),
  })

  readonly #calls = new BoundedFamily<CallPair, CallTally>({
    most: mostCallPairs,
    create: (pair) => new CallTally(pair),
  })

  /** Every tally of a function. */
  get functions(): readonly FunctionTally[] {
    return [...this.#functions.values()]
  }

  /** Every tally of a function and a model. */
  get models(): readonly ModelTally[] {
    return this.functions.flatMap(({ models }) => models)
  }

  /** Every tally of a principal. */
  get principals(): readonly PrincipalTally[] {
    return this.#principals.members
  }

  /** The tally of a function and a model, to be held by whoever counts. */
  model(functionName: string, model: TalliedModel | null): ModelTally {
    let known = this.#functions.get(functionName)
    if (!known) {
      known = new FunctionTally(functionName)
      this.#functions.set(functionName, known)
    }
    return known.model(model)
  }

  /** Every tally of calls. */
  get calls(): readonly CallTally[] {
    return this.#calls.members
  }

  /** The tally of the calls that one function makes of another. */
  call(caller: string, callee: string): CallTally {
    return this.#calls.of(`${caller}\n${callee}`, { caller, callee })
  }

  /** The tally of a principal. */
  principal(name: string): PrincipalTally {
    return this.#principals.of(name, name)
  }
}
