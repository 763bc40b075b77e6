import type { Ticket } from './ticket.ts'
import { type Suspect, type TrialEvents, TrialRoom, type TrialRoomOptions } from './trial-room.ts'

/** How trials end, and what goes on in them. */
export type WardEvents = Omit<TrialEvents, 'next' | 'dismissed'>

/** What a ward is made from. */
export interface WardOptions extends Omit<TrialRoomOptions, 'events'> {
  readonly events: WardEvents
}

/**
 * Tries one by one what was in hand when replicas died: alone in a replica of its own, so that whatever dies there
 * died of it, and nobody fails for another's fault. Where a request that is tried waits for a call which is a suspect
 * too, that one is tried meanwhile in a further replica.
 */
export class Ward {
  readonly #options: WardOptions
  readonly #suspects = new Set<Suspect>()
  /** Each is for what the trial in the one before waits for. */
  readonly #rooms: TrialRoom[] = []

  constructor(options: WardOptions) {
    this.#options = options
  }

  /** How many wait for their trial or are being tried. */
  get size(): number {
    return this.#suspects.size
  }

  /** Takes a suspect in. A request that is settled meanwhile, by its deadline or its caller, leaves by itself. */
  admit(suspect: Suspect): void {
    this.#suspects.add(suspect)
    suspect.ticket?.onSettled(() => this.#dismiss(suspect))
    this.proceed()
  }

  /** Goes on with the trials as far as that is possible; to be called when a spare replica has come up. */
  proceed(): void {
    for (const room of [...this.#rooms]) room.proceed()
    while (this.#rooms.at(-1)?.empty) this.#rooms.pop()
    if (this.#nextIn(this.#rooms.length)) this.#open()
  }

  /** Fails every request that waits for its trial or is being tried. */
  failAll(error: unknown): void {
    for (const { ticket } of [...this.#suspects]) ticket?.fail(error)
  }

  #open(): void {
    const place = this.#rooms.length
    const events: TrialEvents = {
      ...this.#options.events,
      next: () => this.#nextIn(place),
      dismissed: (suspect) => this.#dismiss(suspect),
    }
    const room = new TrialRoom({ ...this.#options, events })
    this.#rooms.push(room)
    room.proceed()
  }

  /** The first suspect that is nobody's: in the first room any, in a further one what the trial before it waits for. */
  #nextIn(place: number): Suspect | undefined {
    const caller = this.#rooms[place - 1]?.trial?.ticket
    if (place > 0 && !caller) return undefined
    const others = this.#rooms.filter((_, index) => index !== place)
    for (const suspect of this.#suspects) {
      if (others.some(({ trial }) => trial === suspect)) continue
      if (!caller || isCalledBy(suspect, caller)) return suspect
    }
    return undefined
  }

  #dismiss(suspect: Suspect): void {
    if (!this.#suspects.delete(suspect)) return
    for (const room of this.#rooms) room.release(suspect)
    this.proceed()
  }
}

/** Whether a request, or one that waits for a load, is called by another, be it through others. */
function isCalledBy({ ticket, queue }: Suspect, caller: Ticket): boolean {
  return ticket ? descends(ticket, caller) : queue.holds((waiting) => descends(waiting, caller))
}

function descends({ work }: Ticket, caller: Ticket): boolean {
  for (let parent = work.parent; parent; parent = parent.work.parent) if (parent === caller) return true
  return false
}
