import type { JSX } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { FailureNote } from './answer.tsx'
import type { Draft } from './call.ts'
import { CallForm, focusFirstMistake } from './call-form.tsx'
import type { Caller } from './caller.ts'
import type { Catalog, CatalogFunction } from './catalog.ts'
import { shownIssues, useDraft } from './draft.ts'
import { type Failure, readFailure } from './failure.ts'
import { FunctionHead } from './function-head.tsx'
import { noOverlay } from './overlay.ts'
import { SnippetView } from './snippet-view.tsx'
import { hashOfJob, jobsHash } from './view-hash.ts'

/** An action to submit jobs of. */
export interface ActionBenchProps {
  readonly fn: CatalogFunction
  readonly catalog: Catalog
  readonly caller: Caller
  readonly baseUrl: string
  readonly hasToken: boolean
}

/** One action: the form of its parameters, and the same job as code. A job that is submitted is shown next. */
export function ActionBench({ fn, catalog, caller, baseUrl, hasToken }: ActionBenchProps): JSX.Element {
  const form = useDraft(fn, catalog)
  const { submit, isOnItsWay, refused } = useSubmission(fn, caller)
  const element = useRef<HTMLFormElement>(null)
  const run = (): void => {
    if (isOnItsWay) return
    if (form.check()) submit(form.draft)
    else focusFirstMistake(element)
  }
  return (
    <>
      <FunctionHead fn={fn} hasToken={hasToken} />
      <div class="bench">
        <CallForm
          fn={fn}
          form={form}
          element={element}
          onRun={run}
          issues={shownIssues(fn, form, refused === null ? [] : [refused])}
          overlay={noOverlay}
        >
          <div class="run-bar">
            <div class="run-buttons">
              <button type="submit" class="primary" aria-disabled={isOnItsWay} title="Ctrl + Enter">
                Submit job
              </button>
            </div>
            <a class="link" href={jobsHash}>
              All jobs
            </a>
          </div>
        </CallForm>
        <ActionParts fn={fn} failure={refused?.failure ?? null} />
      </div>
      <section class="card" aria-labelledby="code-title">
        <h2 id="code-title">The same job</h2>
        <SnippetView
          snippet={{
            fn,
            draft: form.draft,
            baseUrl,
            hasToken: hasToken || fn.access === 'token',
            where: 'server',
          }}
        />
      </section>
    </>
  )
}

function ActionParts({
  fn,
  failure,
}: {
  readonly fn: CatalogFunction
  readonly failure: Failure | null
}): JSX.Element {
  const weights = Object.entries(fn.action?.weights ?? {})
  const hasSteps = (fn.action?.steps.length ?? 0) > 0
  return (
    <section class="card" aria-label="What a job does" aria-live="polite">
      {failure === null ? null : <FailureNote failure={failure} />}
      <h3>{hasSteps ? 'Steps' : 'Progress'}</h3>
      <ol class="parts">
        {weights.map(([name, weight]) => (
          <li key={name}>
            <code>{name}</code> <span class="note">weight {weight}</span>
          </li>
        ))}
      </ol>
      <p class="note">A job goes on when this page is closed, and is found again under All jobs.</p>
    </section>
  )
}

/** A submission that was refused, and what had been sent. */
interface Refused {
  readonly draft: Draft
  readonly failure: Failure
}

function useSubmission(
  fn: CatalogFunction,
  caller: Caller,
): {
  readonly submit: (draft: Draft) => void
  readonly isOnItsWay: boolean
  readonly refused: Refused | null
} {
  const [isOnItsWay, setOnItsWay] = useState(false)
  const [refused, setRefused] = useState<Refused | null>(null)
  const submit = async (draft: Draft): Promise<void> => {
    setOnItsWay(true)
    setRefused(null)
    try {
      const { id } = await caller.submit(fn, draft)
      location.hash = hashOfJob(id)
    } catch (error) {
      setRefused({ draft, failure: readFailure(error) })
    } finally {
      setOnItsWay(false)
    }
  }
  return { submit: (draft) => void submit(draft), isOnItsWay, refused }
}
