import { useMemo, useState } from 'preact/hooks'
import type { Draft } from './call.ts'
import type { Outcome } from './calls.ts'
import { type Catalog, type CatalogFunction, type Slot, slots } from './catalog.ts'
import { placeIssue } from './failure.ts'
import { findIssues, type Issue } from './fit.ts'
import { startingValue } from './starting-value.ts'

/** What is filled in for a call, and what is wrong with it. */
export interface FormState {
  readonly draft: Draft
  /** Whether somebody has tried to run it, so that what is not filled in is said. */
  readonly isTried: boolean
  readonly refusal: string
  readonly document: Catalog['document']
  /** What the schemas do not take. */
  readonly found: Readonly<Record<Slot, readonly Issue[]>>
  change(slot: Slot, value: unknown): void
  note(slot: Slot, problem: string | null): void
  /** Whether all that is filled in fits; where it does not, the form says so. */
  check(): boolean
}

/** A form of a function, which starts with what its schemas have for examples and defaults. */
export function useDraft(fn: CatalogFunction, { document }: Catalog): FormState {
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
  // A part may hold a million numbers, and is shown anew with each key.
  const found = {
    params: useIssues(fn, 'params', draft, document),
    query: useIssues(fn, 'query', draft, document),
    input: useIssues(fn, 'input', draft, document),
  }
  return {
    draft,
    isTried,
    refusal,
    document,
    found,
    change(slot, value) {
      setDraft((all) => ({ ...all, [slot]: value }))
      setRefusal('')
    },
    note: (slot, problem) => setProblems((all) => ({ ...all, [slot]: problem })),
    check() {
      setTried(true)
      const count = slots.reduce((sum, slot) => sum + found[slot].length, 0)
      const isJson = slots.every((slot) => (problems[slot] ?? null) === null)
      const text = count === 1 ? 'One place does not fit yet.' : `${count} places do not fit yet.`
      setRefusal(isJson ? (count === 0 ? '' : text) : 'What stands there as JSON is none yet.')
      return isJson && count === 0
    },
  }
}

function useIssues(
  fn: CatalogFunction,
  slot: Slot,
  draft: Draft,
  document: Catalog['document'],
): readonly Issue[] {
  const schema = fn.schemas[slot]
  const value = draft[slot]
  return useMemo(
    () => (schema === null ? [] : findIssues(schema, value, document)),
    [schema, value, document],
  )
}

/** What is wrong with each part: what the page sees, and what the last call was refused for. */
export function shownIssues(
  fn: CatalogFunction,
  { draft, isTried, found }: FormState,
  outcomes: readonly Pick<Outcome, 'failure' | 'draft'>[],
): Readonly<Record<Slot, readonly Issue[]>> {
  // Once a part has been changed, what was said of it counts no more.
  const refused = outcomes.flatMap(({ failure, draft: sent }) =>
    (failure?.issues ?? [])
      .map(({ path, message }) => ({ ...placeIssue(path, (slot) => fn.schemas[slot] !== null), message }))
      .filter(({ slot }) => sent[slot] === draft[slot]),
  )
  const of = (slot: Slot): readonly Issue[] => {
    const seen = found[slot].filter(({ message }) => isTried || message !== 'is required')
    return [...seen, ...refused.filter((issue) => issue.slot === slot)]
  }
  return { params: of('params'), query: of('query'), input: of('input') }
}
