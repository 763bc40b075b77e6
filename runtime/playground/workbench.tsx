import type { Ran } from 'isoplex/client'
import type { JSX } from 'preact'
import { useMemo, useRef, useState } from 'preact/hooks'
import { AgreementView } from './agreement-view.tsx'
import { AnswerPanel } from './answer.tsx'
import { CallForm, focusFirstMistake } from './call-form.tsx'
import type { Caller } from './caller.ts'
import { type Outcome, useCalls, type Wish } from './calls.ts'
import type { Catalog, CatalogFunction } from './catalog.ts'
import { shownIssues, useDraft } from './draft.ts'
import { FunctionHead } from './function-head.tsx'
import { GraphView } from './graph-view.tsx'
import { LatencyPlot } from './latency-plot.tsx'
import { noOverlay, type Overlay, overlayOf } from './overlay.ts'
import { RunBar } from './run-bar.tsx'
import { SnippetView } from './snippet-view.tsx'

/** A function to try, and what it is tried with. */
export interface WorkbenchProps {
  readonly fn: CatalogFunction
  readonly catalog: Catalog
  readonly caller: Caller
  readonly baseUrl: string
  readonly hasToken: boolean
  /** Hears what computed each answer. */
  readonly onLoaded: (ran: Ran) => void
}

/** One function: its form, its answers, how long they took, and the same call as code. */
export function Workbench({ fn, catalog, caller, baseUrl, hasToken, onLoaded }: WorkbenchProps): JSX.Element {
  const [wish, setWish] = useState<Wish>(fn.runsHere ? 'auto' : 'server')
  const form = useDraft(fn, catalog)
  const calls = useCalls(fn, caller, onLoaded)
  const issues = shownIssues(fn, form, calls.outcomes)
  const element = useRef<HTMLFormElement>(null)
  const run = (times: number): void => {
    if (calls.isRunning) return
    if (form.check()) calls.run(wish, form.draft, times)
    else focusFirstMistake(element)
  }
  const overlay = useOverlay(calls.outcomes, form.draft.input)
  return (
    <>
      <FunctionHead fn={fn} hasToken={hasToken} />
      {fn.graph ? (
        <section class="card" aria-labelledby="graph-title">
          <h2 id="graph-title">The graph</h2>
          <GraphView graph={fn.graph} />
        </section>
      ) : null}
      <div class="bench">
        <CallForm fn={fn} form={form} element={element} onRun={run} issues={issues} overlay={overlay}>
          <RunBar
            fn={fn}
            wish={wish}
            onWish={setWish}
            isRunning={calls.isRunning}
            onRun={run}
            onCancel={calls.cancel}
          />
        </CallForm>
        <Answers outcomes={calls.outcomes} />
      </div>
      <section class="card" aria-labelledby="latency-title">
        <h2 id="latency-title">Latency</h2>
        <LatencyPlot measures={calls.measures} />
      </section>
      <section class="card" aria-labelledby="code-title">
        <h2 id="code-title">The same call</h2>
        <SnippetView
          snippet={{
            fn,
            draft: form.draft,
            baseUrl,
            hasToken: hasToken || (fn.access === 'token' && fn.defaultModel === null),
            where: wish === 'both' ? 'auto' : wish,
          }}
        />
      </section>
    </>
  )
}

/** What is drawn over the input as long as it is the one that was answered. */
function useOverlay(outcomes: readonly Outcome[], input: unknown): Overlay {
  const done = outcomes.find(({ state }) => state === 'done')
  const output = done?.draft.input === input ? done?.answer?.output : undefined
  return useMemo(() => (output === undefined ? noOverlay : overlayOf(output)), [output])
}

function Answers({ outcomes }: { readonly outcomes: readonly Outcome[] }): JSX.Element {
  const [left, right] = outcomes.map(({ state, answer }) => (state === 'done' ? answer : null))
  return (
    <section class="card answers" aria-label="Answers" aria-live="polite">
      <div class={outcomes.length > 1 ? 'pair' : ''}>
        {outcomes.length === 0 ? <p class="note empty">Run it to see the answer here.</p> : null}
        {outcomes.map((outcome) => (
          <AnswerPanel key={outcome.asked} outcome={outcome} />
        ))}
      </div>
      {left && right ? <AgreementView left={left.output} right={right.output} /> : null}
    </section>
  )
}
