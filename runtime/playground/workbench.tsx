import type { JSX } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { AgreementView } from './agreement-view.tsx'
import { AnswerPanel } from './answer.tsx'
import type { Draft } from './call.ts'
import type { Caller, Ran } from './caller.ts'
import { type Outcome, useCalls, type Wish } from './calls.ts'
import { type Catalog, type CatalogFunction, type Slot, slots } from './catalog.ts'
import { placeIssue } from './failure.ts'
import { findIssues, type Issue } from './fit.ts'
import { FunctionHead } from './function-head.tsx'
import { LatencyPlot } from './latency-plot.tsx'
import { firstShares } from './overlay.ts'
import { RunBar } from './run-bar.tsx'
import { SlotForm } from './slot-form.tsx'
import { SnippetView } from './snippet-view.tsx'
import { startingValue } from './starting-value.ts'

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
    if (form.check()) calls.run(wish, form.draft, times)
    else
      requestAnimationFrame(() =>
        element.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus(),
      )
  }
  const output = calls.outcomes.find(({ state }) => state === 'done')?.answer?.output
  return (
    <>
      <FunctionHead fn={fn} hasToken={hasToken} />
      <div class="bench">
        <form
          ref={element}
          class="card"
          noValidate
          onSubmit={(event) => {
            event.preventDefault()
            run(1)
          }}
          onKeyDown={({ key, ctrlKey, metaKey }) => {
            if (key === 'Enter' && (ctrlKey || metaKey)) run(1)
          }}
        >
          {slots.map((slot) => {
            const schema = fn.schemas[slot]
            return schema === null ? null : (
              <SlotForm
                key={slot}
                fn={fn}
                slot={slot}
                schema={schema}
                document={catalog.document}
                value={form.draft[slot]}
                onChange={(value) => form.change(slot, value)}
                issues={issues[slot]}
                onProblem={(problem) => form.note(slot, problem)}
                overlay={firstShares(output)}
              />
            )
          })}
          {slots.every((slot) => fn.schemas[slot] === null) ? <p class="note">It takes no input.</p> : null}
          <RunBar
            fn={fn}
            wish={wish}
            onWish={setWish}
            isRunning={calls.isRunning}
            onRun={run}
            onCancel={calls.cancel}
          />
          <p class="wrong-text" aria-live="polite">
            {form.refusal}
          </p>
        </form>
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

interface FormState {
  readonly draft: Draft
  /** Whether somebody has tried to run it, so that what is not filled in is said. */
  readonly isTried: boolean
  readonly refusal: string
  readonly document: Catalog['document']
  change(slot: Slot, value: unknown): void
  note(slot: Slot, problem: string | null): void
  /** Whether all that is filled in fits; where it does not, the form says so. */
  check(): boolean
}

function useDraft(fn: CatalogFunction, { document }: Catalog): FormState {
  const [draft, setDraft] = useState<Draft>(() => {
    const start = (slot: Slot): unknown => {
      const schema = fn.schemas[slot]
      return schema === null ? undefined : startingValue(schema, document)
    }
    return { params: start('params'), query: start('query'), input: start('input') }
  })
  const [isTried, setTried] = useState(false)
  const [refusal, setRefusal] = useState('')
  const [problems, setProblems] = useState<Readonly<Partial<Record<Slot, string | null>>>>({})
  return {
    draft,
    isTried,
    refusal,
    document,
    change(slot, value) {
      setDraft((all) => ({ ...all, [slot]: value }))
      setRefusal('')
    },
    note: (slot, problem) => setProblems((all) => ({ ...all, [slot]: problem })),
    check() {
      setTried(true)
      const count = slots.reduce((sum, slot) => sum + issuesOf(fn, slot, draft, document).length, 0)
      const isJson = slots.every((slot) => (problems[slot] ?? null) === null)
      const text = count === 1 ? 'One place does not fit yet.' : `${count} places do not fit yet.`
      setRefusal(isJson ? (count === 0 ? '' : text) : 'What stands there as JSON is none yet.')
      return isJson && count === 0
    },
  }
}

function issuesOf(
  fn: CatalogFunction,
  slot: Slot,
  draft: Draft,
  document: Catalog['document'],
): readonly Issue[] {
  const schema = fn.schemas[slot]
  return schema === null ? [] : findIssues(schema, draft[slot], document)
}

/** What is wrong with each part: what the page sees, and what the last call was refused for. */
function shownIssues(
  fn: CatalogFunction,
  { draft, isTried, document }: FormState,
  outcomes: readonly Outcome[],
): Readonly<Record<Slot, readonly Issue[]>> {
  const refused = outcomes.flatMap(({ failure }) => failure?.issues ?? [])
  const placed = refused.map(({ path, message }) => ({
    ...placeIssue(path, (slot) => fn.schemas[slot] !== null),
    message,
  }))
  const of = (slot: Slot): readonly Issue[] => {
    const seen = issuesOf(fn, slot, draft, document).filter(
      ({ message }) => isTried || message !== 'is required',
    )
    return [...seen, ...placed.filter((issue) => issue.slot === slot)]
  }
  return { params: of('params'), query: of('query'), input: of('input') }
}
