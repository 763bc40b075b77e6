import type { LocalProgress, Ran, Where } from 'isoplex/client'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Draft } from './call.ts'
import type { Answer, Caller, CallOptions } from './caller.ts'
import type { CatalogFunction } from './catalog.ts'
import { type Failure, isCancelled, readFailure } from './failure.ts'
import { addMeasure, type Measure } from './latency.ts'

/** Where somebody wants a call to run: both is in the browser and on the server, side by side. */
export type Wish = Where | 'both'

/** What became of the latest call to one place. */
export interface Outcome {
  readonly asked: Where
  /** What was sent. */
  readonly draft: Draft
  readonly state: 'running' | 'done' | 'failed' | 'cancelled'
  /** While a call runs, the answer before it. */
  readonly answer: Answer | null
  readonly failure: Failure | null
  /** The latest items of a stream, and how many came before them; `null` where it is none. */
  readonly stream: { readonly items: readonly unknown[]; readonly dropped: number } | null
  /** What is loaded meanwhile; `null` once it is there. */
  readonly progress: LocalProgress | null
}

/** The calls of one function. */
export interface Calls {
  readonly outcomes: readonly Outcome[]
  readonly measures: readonly Measure[]
  readonly isRunning: boolean
  /** Makes a call, again and again where `times` says so; one that fails is the last. */
  run(wish: Wish, draft: Draft, times: number): void
  cancel(): void
}

/** A stream shows this many of its latest items. */
const shownItems = 200

/**
 * Makes calls of a function, and keeps what becomes of them. Calls end when the page shows something else.
 *
 * @param onRan hears what computed each answer
 */
export function useCalls(fn: CatalogFunction, caller: Caller, onRan: (ran: Ran) => void): Calls {
  const [outcomes, setOutcomes] = useState<readonly Outcome[]>([])
  const [measures, setMeasures] = useState<readonly Measure[]>([])
  const [isRunning, setRunning] = useState(false)
  const controller = useRef<AbortController | null>(null)
  const runs = useRef(0)
  useEffect(() => () => controller.current?.abort(), [])
  const change: Change = (asked, changes) =>
    setOutcomes((all) =>
      all.map((each) =>
        each.asked === asked
          ? { ...each, ...(typeof changes === 'function' ? changes(each) : changes) }
          : each,
      ),
    )
  const callOnce = async (asked: Where, draft: Draft, signal: AbortSignal, run: number): Promise<void> => {
    try {
      const answer = await caller.call(fn, draft, listening(asked, signal, change))
      const { where: place, tookMs } = answer.ran
      onRan(answer.ran)
      change(asked, { state: 'done', answer, failure: null, progress: null })
      setMeasures((all) => addMeasure(all, { run, place, tookMs }))
    } catch (error) {
      change(asked, ended(error, signal))
      throw error
    }
  }
  const runAll = async (wish: Wish, draft: Draft, times: number, signal: AbortSignal): Promise<void> => {
    const places: readonly Where[] = wish === 'both' ? ['browser', 'server'] : [wish]
    for (let count = 0; count < times && !signal.aborted; count += 1) {
      setOutcomes((all) => places.map((asked) => begun(asked, draft, all)))
      runs.current += 1
      const run = runs.current
      const settled = await Promise.allSettled(places.map((asked) => callOnce(asked, draft, signal, run)))
      if (settled.some(({ status }) => status === 'rejected')) return
    }
  }
  return {
    outcomes,
    measures,
    isRunning,
    run(wish, draft, times) {
      controller.current?.abort()
      const own = new AbortController()
      controller.current = own
      setRunning(true)
      void runAll(wish, draft, times, own.signal).finally(() => {
        if (controller.current === own) setRunning(false)
      })
    },
    cancel: () => controller.current?.abort(),
  }
}

/** Changes what is shown of the call to one place. */
type Change = (asked: Where, changes: Partial<Outcome> | ((outcome: Outcome) => Partial<Outcome>)) => void

function listening(where: Where, signal: AbortSignal, change: Change): CallOptions {
  return {
    where,
    signal,
    onProgress: (progress) => change(where, { progress }),
    onItems: (items) => change(where, ({ stream }) => ({ stream: addItems(stream, items) })),
  }
}

function ended(error: unknown, signal: AbortSignal): Partial<Outcome> {
  return signal.aborted || isCancelled(error)
    ? { state: 'cancelled', failure: null, progress: null }
    : { state: 'failed', failure: readFailure(error), progress: null }
}

function begun(asked: Where, draft: Draft, before: readonly Outcome[]): Outcome {
  const answer = before.find((each) => each.asked === asked)?.answer ?? null
  return { asked, draft, state: 'running', answer, failure: null, stream: null, progress: null }
}

function addItems(stream: Outcome['stream'], items: readonly unknown[]): Outcome['stream'] {
  const all = [...(stream?.items ?? []), ...items]
  const extra = Math.max(0, all.length - shownItems)
  return { items: all.slice(extra), dropped: (stream?.dropped ?? 0) + extra }
}
