import type { DepartureReason, DepartureReport } from './residency-report.ts'
import type { RunnerLink } from './runner-link.ts'

/** As much of a runner as is remembered of it. */
export interface DepartedRunner extends Pick<RunnerLink, 'model' | 'bytes' | 'requests' | 'startedMs'> {
  readonly deployment: { readonly name: string; readonly functionName: string }
  readonly replica: { readonly number: number }
}

/** The most departures that are remembered. */
const longest = 200

/** The runners that have left lately, and why. */
export class Departures {
  readonly #reports: DepartureReport[] = []

  /** Notes a runner that has gone. */
  add(runner: DepartedRunner, reason: DepartureReason): void {
    const { deployment, model, replica, bytes, requests, startedMs } = runner
    this.#reports.push({
      function: deployment.functionName,
      deployment: deployment.name,
      modelKey: model?.key ?? null,
      replica: replica.number,
      reason,
      atMs: Date.now(),
      bytes,
      requests,
      residentMs: Math.round(performance.now() - startedMs),
    })
    if (this.#reports.length > longest) this.#reports.shift()
  }

  /** The last 200, the newest first. */
  list(): readonly DepartureReport[] {
    return this.#reports.toReversed()
  }
}

/** Why a runner has left: its own end counts where the gateway did not want it to. */
export function reasonOf({ terminated, departure }: RunnerLink): DepartureReason {
  return terminated && departure !== 'failed' ? 'terminated' : (departure ?? 'crashed')
}
