import type { ResolvedModel } from '../model/resolve.ts'
import type { Deployment } from './deployment.ts'
import type { RequestQueue } from './queue.ts'
import type { ResidencyReport } from './residency-report.ts'
import type { LoadOptions } from './wishes.ts'

/** Requests that wait for one model of one function. */
export interface BacklogReport {
  readonly function: string
  readonly deployment: string
  readonly modelKey: string | null
  readonly modelId: string | null
  readonly version: string | null
  /** How many requests wait; those in a runner's hands do not count. */
  readonly waiting: number
}

/** What an operator does to the models that are loaded, and sees of them. The scheduler is one. */
export interface ResidencyControl {
  /**
   * Loads a model, unless it is loaded; resolves when a runner of it takes requests.
   *
   * @throws {IsoplexError} `MODEL_BROKEN`, `MODEL_TOO_LARGE`, `ROOM_TAKEN`, `FUNCTION_BROKEN`, `DRAINING`: whatever
   * a request for it would meet.
   */
  load(deployment: Deployment, model: ResolvedModel, options: LoadOptions): Promise<void>
  /**
   * Retires the runners of a model, of one function or of all (`null`), and waits until they have gone: they finish
   * what they have in hand. A pin goes with them. Resolves to how many went.
   */
  unload(deploymentName: string | null, modelKey: string): Promise<number>
  /** Pins a model that is loaded or will be, or takes the pin away. */
  setPinned(deploymentName: string, modelKey: string, pinned: boolean): void
  /** What is loaded where, and what has left lately. */
  report(): ResidencyReport
  /** The requests that wait, model by model; where none wait, nothing is told. */
  backlog(): readonly BacklogReport[]
}

/** What waits in a queue. */
export function toBacklog({ deployment, model, length }: RequestQueue): BacklogReport {
  return {
    function: deployment.functionName,
    deployment: deployment.name,
    modelKey: model?.key ?? null,
    modelId: model?.info.id ?? null,
    version: model?.info.version ?? null,
    waiting: length,
  }
}
