import type { ReplicaCommand, ReplicaReport } from './message.ts'
import type { ReplicaProcess } from './replica-process.ts'
import type { RunnerDoor } from './runner-gate.ts'

/** What the other end of a channel says. */
export interface ChannelEvents {
  /** It has said something. */
  readonly received: (report: ReplicaReport) => void
  /** The process has ended, or nothing more will be heard of it: `exit code 1`, `signal SIGKILL`, `its node is lost`. */
  readonly ended: (how: string) => void
}

/** The gateway's end of a replica, wherever its process runs. */
export interface ReplicaChannel {
  /** Its process id, on the machine that it runs on; 0 while it is not known. */
  readonly pid: number
  /** The name of the node that it runs on; none on this machine. */
  readonly node?: string | null
  /** Whether `ended` has been told, or is about to be. */
  readonly dead: boolean
  /** Resolves when that has been told. */
  readonly ended: Promise<void>
  /** Tells it something; the dead hear nothing. */
  send(command: ReplicaCommand): void
  /** Ends the process at once, and what was started in it. */
  kill(): void
  /** Lets the process end by itself. */
  disconnect(): void
  /** What a runner proves itself with that was ordered with a nonce. @default the nonce */
  wordOf?(nonce: string): string
}

/** What a replica is wanted for. */
export interface ChannelWish extends ChannelEvents {
  /** Whether its runners are likely to load models. */
  readonly expectsModels: boolean
}

/** Starts a replica's process and opens a channel to it. @throws {Error} where there is no room for another process. */
export type ChannelOpener = (wish: ChannelWish) => ReplicaChannel

/** The places that a crew keeps taken, where they are not simply so many on this machine. */
export interface ReplicaPlaces {
  /** The number of each place, where the crew is to have so many replicas. */
  numbersFor(size: number): readonly number[]
  /** Who opens a channel for a place, or (`null`) for a spare, whose runners come in by a door; `null` where there is nowhere to have it now. */
  openerFor(number: number | null, door: RunnerDoor): ChannelOpener | null
  /** Whether a spare may take a place. */
  suits(spare: ReplicaProcess, number: number): boolean
  /** Whether a spare may stay where it is. */
  mayStay(spare: ReplicaProcess): boolean
  /** Has a listener told of every change of the places, until what it gives is disposed of. */
  onChange(listener: () => void): Disposable
  /** The places of a crew that has as many as it asks for, wherever they are. */
  group(): ReplicaPlaces
}
