import type { JSX } from 'preact'
import { useMemo, useState } from 'preact/hooks'
import type { CatalogFunction, Slot } from './catalog.ts'
import { Field } from './field.tsx'
import type { Issue } from './fit.ts'
import { type EditorProps, FieldFrame, FormContext } from './form.tsx'
import { JsonEditor } from './json-editor.tsx'
import type { Overlay } from './overlay.ts'
import type { JsonSchema, SchemaDocument } from './schema.ts'
import { examplesOf } from './starting-value.ts'

const titles: Readonly<Record<Slot, string>> = { params: 'Path', query: 'Query', input: 'Input' }

/** One part of a call: what it looks like, what is filled in, and what is wrong with that. */
export interface SlotFormProps {
  readonly fn: CatalogFunction
  readonly slot: Slot
  readonly schema: JsonSchema
  readonly document: SchemaDocument
  readonly value: unknown
  readonly onChange: (value: unknown) => void
  readonly issues: readonly Issue[]
  /** Hears whether the JSON view holds JSON; `null` where it does. */
  readonly onProblem: (problem: string | null) => void
  readonly overlay: Overlay
}

/** One part of a call, as fields or as JSON: two views of the same value. */
export function SlotForm(props: SlotFormProps): JSX.Element {
  const { fn, slot, schema, document, value, onChange, issues, overlay } = props
  const [isJson, setJson] = useState(false)
  const prefix = `${fn.name}/${slot}`
  const facts = useMemo(
    () => ({ document, issues: byPointer(issues), prefix, overlay }),
    [document, issues, prefix, overlay],
  )
  const title = fn.kind === 'action' && slot === 'input' ? 'Parameters' : titles[slot]
  const editor: EditorProps = { label: title, pointer: '', value, onChange }
  const switchView = (): void => {
    props.onProblem(null)
    setJson(!isJson)
  }
  return (
    <FormContext.Provider value={facts}>
      <section class="slot" aria-label={title}>
        <header class="slot-head">
          <h3>{title}</h3>
          <Examples examples={examplesOf(schema)} onChoose={onChange} />
          <button type="button" class="quiet" aria-pressed={isJson} onClick={switchView}>
            JSON
          </button>
        </header>
        {isJson ? (
          <FieldFrame label={`${title} as JSON`} pointer="" required={true}>
            <JsonEditor {...editor} rows={12} onProblem={props.onProblem} />
            <Elsewhere issues={issues} />
          </FieldFrame>
        ) : (
          <Field {...editor} schema={schema} required={true} />
        )}
      </section>
    </FormContext.Provider>
  )
}

function Examples({
  examples,
  onChoose,
}: {
  readonly examples: readonly unknown[]
  readonly onChoose: (value: unknown) => void
}): JSX.Element {
  return (
    <span class="examples">
      {examples.map((example, index) => (
        <button key={index} type="button" class="quiet" onClick={() => onChoose(example)}>
          Example{examples.length > 1 ? ` ${index + 1}` : ''}
        </button>
      ))}
    </span>
  )
}

/** As JSON there are no fields to say it beside. */
function Elsewhere({ issues }: { readonly issues: readonly Issue[] }): JSX.Element {
  return (
    <ul class="wrong-text">
      {issues.flatMap(({ path, message }) =>
        path === ''
          ? []
          : [
              <li key={path + message}>
                <code>{path}</code> {message}
              </li>,
            ],
      )}
    </ul>
  )
}

/** Issues by their places; those within many numbers stand at the list that holds them. */
function byPointer(issues: readonly Issue[]): ReadonlyMap<string, readonly string[]> {
  const places = new Map<string, string[]>()
  for (const { path, message } of issues) places.set(path, [...(places.get(path) ?? []), message])
  return places
}
