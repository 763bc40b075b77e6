import type { JSX } from 'preact'
import { type CatalogFunction, type Slot, slots } from './catalog.ts'
import type { FormState } from './draft.ts'
import type { Issue } from './fit.ts'
import type { Overlay } from './overlay.ts'
import { SlotForm } from './slot-form.tsx'

/** What a form of a call is made of. */
export interface CallFormProps {
  readonly fn: CatalogFunction
  readonly form: FormState
  readonly element: { current: HTMLFormElement | null }
  readonly issues: Readonly<Record<Slot, readonly Issue[]>>
  readonly overlay: Overlay
  readonly onRun: (times: number) => void
  readonly children: JSX.Element
}

/** Takes whoever fills in a form to the first place that is wrong, once that shows. */
export function focusFirstMistake(element: CallFormProps['element']): void {
  requestAnimationFrame(() => element.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus())
}

/** The form of a call: its parts, and what stands below them. */
export function CallForm({
  fn,
  form,
  element,
  issues,
  overlay,
  onRun,
  children,
}: CallFormProps): JSX.Element {
  return (
    <form
      ref={element}
      class="card"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        onRun(1)
      }}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return
        event.preventDefault()
        onRun(1)
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
            document={form.document}
            value={form.draft[slot]}
            onChange={(value) => form.change(slot, value)}
            issues={issues[slot]}
            onProblem={(problem) => form.note(slot, problem)}
            overlay={overlay}
          />
        )
      })}
      {slots.every((slot) => fn.schemas[slot] === null) ? <p class="note">It takes no input.</p> : null}
      {children}
      <p class="wrong-text" aria-live="polite">
        {form.refusal}
      </p>
    </form>
  )
}
