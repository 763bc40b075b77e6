import type { FunctionComponent, JSX } from 'preact'
import { useContext } from 'preact/hooks'
import type { FieldProps } from './field.tsx'
import { type EditorProps, FormContext } from './form.tsx'
import { withItem, withoutItem } from './place.ts'
import { isRecord, type JsonSchema, numberOf } from './schema.ts'
import { addedValue } from './starting-value.ts'

/** A list whose items are edited one by one. */
export interface ListEditorProps extends EditorProps {
  readonly schema: JsonSchema
  readonly field: FunctionComponent<FieldProps>
}

/** More items than this are shown as JSON only. */
const shownItems = 50

/** The items of a list, with buttons to add and remove them. */
export function ListEditor(props: ListEditorProps): JSX.Element {
  const { schema, value, onChange, pointer, label, field: Field } = props
  const { document } = useContext(FormContext)
  const items: readonly unknown[] = Array.isArray(value) ? value : []
  const itemSchema = isRecord(schema.items) ? schema.items : {}
  const isFull = items.length >= (numberOf(schema, 'maxItems') ?? Number.POSITIVE_INFINITY)
  return (
    <div class="members nested">
      {items.slice(0, shownItems).map((item, index) => (
        <Field
          key={index}
          schema={itemSchema}
          label={`${label} ${index + 1}`}
          pointer={`${pointer}/${index}`}
          required={true}
          value={item}
          onChange={(changed) => onChange(withItem(items, index, changed ?? null))}
          onRemove={() => onChange(withoutItem(items, index))}
        />
      ))}
      {items.length > shownItems ? (
        <p class="note">{items.length - shownItems} more: see them as JSON.</p>
      ) : null}
      <button
        type="button"
        class="add"
        disabled={isFull}
        onClick={() => onChange([...items, addedValue(itemSchema, document)])}
      >
        Add an item
      </button>
    </div>
  )
}
