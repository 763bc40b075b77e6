import { type ComponentChildren, createContext, type JSX } from 'preact'
import { useContext } from 'preact/hooks'
import { noOverlay, type Overlay } from './overlay.ts'
import type { SchemaDocument } from './schema.ts'

/** What the fields of one part of a call share. */
export interface FormFacts {
  readonly document: SchemaDocument
  /** What is wrong, by the JSON pointer of the place. */
  readonly issues: ReadonlyMap<string, readonly string[]>
  /** Comes before the ids of all fields. */
  readonly prefix: string
  /** What of the last answer is drawn over what was sent. */
  readonly overlay: Overlay
}

/** Where the fields find {@link FormFacts}. */
export const FormContext = createContext<FormFacts>({
  document: {},
  issues: new Map(),
  prefix: '',
  overlay: noOverlay,
})

/** What every editor of a value is given. */
export interface EditorProps {
  readonly label: string
  /** The place as a JSON pointer. */
  readonly pointer: string
  readonly value: unknown
  readonly onChange: (value: unknown) => void
}

/** The id of the control at a place. An id has no spaces, a name may. */
export function useFieldId(pointer: string): string {
  return encodeURIComponent(useContext(FormContext).prefix + pointer)
}

/** What stands around a control: label, note, what is wrong with the value. */
export interface FieldFrameProps {
  readonly label: string
  readonly pointer: string
  readonly required: boolean
  readonly description?: string | null
  /** Removes a value that need not be there. */
  readonly onRemove?: (() => void) | undefined
  /** Whether the control is a group of several, which a label cannot name. */
  readonly grouped?: boolean
  readonly children: ComponentChildren
}

/** A control with its label, its note and what is wrong beside it. */
export function FieldFrame(props: FieldFrameProps): JSX.Element {
  const { label, pointer, required, description, onRemove, grouped = false, children } = props
  const id = useFieldId(pointer)
  const messages = useContext(FormContext).issues.get(pointer) ?? []
  const group = grouped ? { role: 'group' as const, 'aria-labelledby': `${id}-label` } : {}
  const name = (
    <>
      <span>{label}</span>
      {required ? null : <span class="faint"> optional</span>}
    </>
  )
  return (
    <div class={grouped ? 'field group' : 'field'} {...group}>
      <div class="field-head">
        {grouped ? (
          <span class="label" id={`${id}-label`}>
            {name}
          </span>
        ) : (
          <label class="label" for={id}>
            {name}
          </label>
        )}
        {onRemove === undefined ? null : (
          <button type="button" class="quiet" onClick={onRemove} aria-label={`Remove ${label}`}>
            Remove
          </button>
        )}
      </div>
      {description ? (
        <p class="note" id={`${id}-note`}>
          {description}
        </p>
      ) : null}
      {children}
      <div id={`${id}-wrong`} class="wrong-text" aria-live="polite">
        {messages.join('; ')}
      </div>
    </div>
  )
}

/** The attributes that tie a control to its frame. */
export function useControl(pointer: string): {
  readonly id: string
  readonly 'aria-describedby': string
  readonly 'aria-invalid': boolean
} {
  const id = useFieldId(pointer)
  const isWrong = useContext(FormContext).issues.has(pointer)
  return { id, 'aria-describedby': `${id}-note ${id}-wrong`, 'aria-invalid': isWrong }
}
