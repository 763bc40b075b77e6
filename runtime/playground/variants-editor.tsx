import type { FunctionComponent, JSX } from 'preact'
import { useContext, useState } from 'preact/hooks'
import type { FieldProps } from './field.tsx'
import { findIssues } from './fit.ts'
import { type EditorProps, FormContext, useControl } from './form.tsx'
import { descriptionOf, type JsonSchema, resolveSchema, type SchemaDocument } from './schema.ts'
import { addedValue } from './starting-value.ts'

/** A value that may have one of several forms. */
export interface VariantsEditorProps extends EditorProps {
  readonly variants: readonly JsonSchema[]
  readonly field: FunctionComponent<FieldProps>
}

/** The place of the choice of a form: the value of that form has the place itself. */
export function formPointer(pointer: string): string {
  return `${pointer}#form`
}

/** A choice of the form, and the value in that form. */
export function VariantsEditor(props: VariantsEditorProps): JSX.Element {
  const { variants, field: Field, value, onChange, pointer, label } = props
  const { document } = useContext(FormContext)
  const control = useControl(formPointer(pointer))
  const [chosen, setChosen] = useState(() => {
    const fitting = variants.findIndex((variant) => findIssues(variant, value, document).length === 0)
    return Math.max(0, fitting)
  })
  const variant = variants[chosen] ?? {}
  const choose = (index: number): void => {
    setChosen(index)
    onChange(addedValue(variants[index] ?? {}, document))
  }
  return (
    <div class="members nested">
      <select
        {...control}
        aria-label={`Form of ${label}`}
        value={chosen}
        onChange={({ currentTarget }) => choose(Number(currentTarget.value))}
      >
        {variants.map((each, index) => (
          <option key={index} value={index}>
            {nameOf(each, index, document)}
          </option>
        ))}
      </select>
      {/* Keyed by the variant: each form has its own editor. */}
      <Field
        key={chosen}
        schema={variant}
        label={nameOf(variant, chosen, document)}
        pointer={pointer}
        required={true}
        value={value}
        onChange={onChange}
      />
    </div>
  )
}

function nameOf(variant: JsonSchema, index: number, document: SchemaDocument): string {
  const resolved = resolveSchema(variant, document)
  if (typeof resolved.title === 'string') return resolved.title
  return descriptionOf(resolved) ?? (typeof resolved.type === 'string' ? resolved.type : `form ${index + 1}`)
}
