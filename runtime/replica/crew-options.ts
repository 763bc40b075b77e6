import type { FunctionLog } from '../define/context.ts'
import type { RunnerRefusal } from './message.ts'
import type { ReplicaLimits } from './replacement.ts'
import type { ReplicaPlaces } from './replica-channel.ts'
import type { ReplicaProcess } from './replica-process.ts'
import type { RunnerDoor } from './runner-gate.ts'
import type { Tallies } from './tallies.ts'

/** How a crew is set up. */
export interface CrewOptions extends ReplicaLimits {
  /** How many replicas serve at first: see {@link ReplicaCrew.resize}. 0 starts none. */
  readonly replicas: number
  /** The group that they are. @default the default group */
  readonly group?: string
  /** All of the environment that they get. */
  readonly environment: Readonly<Record<string, string>>
  readonly log: FunctionLog
  /** Where restarts are counted. */
  readonly tallies: Pick<Tallies, 'restarts'>
  /** Another entry file for them. @default the one of isoplex */
  readonly replicaEntryPath?: string
  /** Where replicas have their places. @default `replicas` of them, on this machine */
  readonly places?: ReplicaPlaces
  /** By which runners of other machines come in. */
  readonly door?: RunnerDoor
}

/** What a crew's owner wants to hear. */
export interface CrewEvents {
  /** A replica begins to serve. */
  replicaReady(): void
  /** A spare is at hand. */
  spareReady(): void
  /** Another has taken a replica's place: it ends as soon as it has no runner. */
  leaving(replica: ReplicaProcess): void
  /** A runner's thread has ended; `refusal` says why there never was one, `null` where there was. */
  runnerEnded(runner: number, refusal: RunnerRefusal | null): void
  /** A process has ended: once its runners are seen to, `fill` lets another take its place. */
  died(replica: ReplicaProcess): void
}
