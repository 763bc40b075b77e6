import type { JSX } from 'preact'
import { type EditorProps, useControl } from './form.tsx'
import { type JsonSchema, numberOf } from './schema.ts'

/** A number; an empty field is none. */
export function NumberEditor({
  schema,
  ...props
}: EditorProps & { readonly schema: JsonSchema }): JSX.Element {
  const { value, onChange, pointer } = props
  const minimum = numberOf(schema, 'minimum')
  const maximum = numberOf(schema, 'maximum')
  const step = numberOf(schema, 'multipleOf') ?? (schema.type === 'integer' ? 1 : 'any')
  return (
    <div class="row">
      <input
        {...useControl(pointer)}
        type="number"
        inputMode={schema.type === 'integer' ? 'numeric' : 'decimal'}
        step={step}
        {...(minimum === null ? {} : { min: minimum })}
        {...(maximum === null ? {} : { max: maximum })}
        placeholder={schema.default === undefined ? '' : String(schema.default)}
        value={typeof value === 'number' ? value : ''}
        onInput={({ currentTarget }) => {
          const { value: text, valueAsNumber } = currentTarget
          onChange(text === '' || Number.isNaN(valueAsNumber) ? undefined : valueAsNumber)
        }}
      />
      <span class="note">{boundsText(minimum, maximum)}</span>
    </div>
  )
}

/** A text; where it is optional, an empty field is none. */
export function TextEditor({
  schema,
  required,
  ...props
}: EditorProps & { readonly schema: JsonSchema; readonly required: boolean }): JSX.Element {
  const { value, onChange, pointer } = props
  const control = useControl(pointer)
  const text = typeof value === 'string' ? value : ''
  const change = ({ currentTarget }: { readonly currentTarget: { readonly value: string } }): void =>
    onChange(currentTarget.value === '' && !required ? undefined : currentTarget.value)
  const placeholder = schema.default === undefined ? '' : String(schema.default)
  const isLong = (numberOf(schema, 'maxLength') ?? 200) >= 1_000 || text.length > 80 || text.includes('\n')
  return isLong ? (
    <textarea
      {...control}
      rows={4}
      spellcheck={false}
      value={text}
      placeholder={placeholder}
      onInput={change}
    />
  ) : (
    <input
      {...control}
      type="text"
      autocomplete="off"
      spellcheck={false}
      value={text}
      placeholder={placeholder}
      onInput={change}
    />
  )
}

/** Yes or no; where it is optional, neither as well. */
export function BooleanEditor({
  required,
  ...props
}: EditorProps & { readonly required: boolean }): JSX.Element {
  const { value, onChange, pointer } = props
  const control = useControl(pointer)
  if (!required) return <ChoiceEditor {...props} choices={[true, false]} />
  return (
    <input
      {...control}
      type="checkbox"
      checked={value === true}
      onChange={({ currentTarget }) => onChange(currentTarget.checked)}
    />
  )
}

/** One of a few values. */
export function ChoiceEditor({
  choices,
  ...props
}: EditorProps & { readonly choices: readonly unknown[] }): JSX.Element {
  const { value, onChange, pointer } = props
  const texts = choices.map((choice) => JSON.stringify(choice))
  const chosen = value === undefined ? -1 : texts.indexOf(JSON.stringify(value))
  return (
    <select
      {...useControl(pointer)}
      value={chosen}
      onChange={({ currentTarget }) => onChange(choices[Number(currentTarget.value)])}
    >
      <option value={-1}>—</option>
      {choices.map((choice, index) => (
        <option key={texts[index]} value={index}>
          {typeof choice === 'string' ? choice : texts[index]}
        </option>
      ))}
    </select>
  )
}

function boundsText(minimum: number | null, maximum: number | null): string {
  if (minimum !== null && maximum !== null) return `${minimum} to ${maximum}`
  if (minimum !== null) return `from ${minimum}`
  return maximum === null ? '' : `up to ${maximum}`
}
