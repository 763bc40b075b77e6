import type { JSX } from 'preact'
import type { EditorProps } from './form.tsx'
import { JsonEditor } from './json-editor.tsx'
import { NumbersEditor } from './numbers-editor.tsx'
import { withMember } from './place.ts'
import { isRecord } from './schema.ts'

/** A tensor's type, and its dimensions: a number where one is fixed, a name or `null` where it is free. */
export interface TensorEditorProps extends EditorProps {
  readonly type: string
  readonly dims: readonly (number | string | null)[]
}

/** A tensor: a field for each dimension, and the values row by row. */
export function TensorEditor({ type, dims, ...props }: TensorEditorProps): JSX.Element {
  const { value, onChange, pointer, label } = props
  const given: readonly unknown[] = isRecord(value) && Array.isArray(value.dims) ? value.dims : []
  const sizes = dims.map((dim, axis) => Number(given[axis] ?? (typeof dim === 'number' ? dim : 1)))
  const count = sizes.reduce((product, size) => product * size, 1)
  const data = isRecord(value) ? value.data : undefined
  const change = (axis: number, size: number): void => {
    const changed = sizes.map((each, index) => (index === axis ? size : each))
    onChange(withMember(value, 'dims', changed))
  }
  const valuesProps = {
    label: `${label} values`,
    pointer: `${pointer}/data`,
    value: data,
    onChange: (values: unknown) => onChange(withMember(withDims(value, sizes), 'data', values ?? [])),
  }
  const isNumeric = type !== 'string' && type !== 'bool' && !type.endsWith('64')
  return (
    <div class="members nested">
      <div class="row dims">
        <code>{type}</code>
        {dims.map((dim, axis) => (
          <label key={axis}>
            <span class="note">{typeof dim === 'string' ? dim : `axis ${axis}`}</span>
            <input
              type="number"
              min={0}
              step={1}
              disabled={typeof dim === 'number'}
              value={sizes[axis] ?? 1}
              onInput={({ currentTarget }) => change(axis, currentTarget.valueAsNumber || 0)}
            />
          </label>
        ))}
      </div>
      <p class="note">
        {count} values, row by row; {Array.isArray(data) ? data.length : 0} are there.
      </p>
      {isNumeric ? <NumbersEditor {...valuesProps} /> : <JsonEditor {...valuesProps} rows={4} />}
    </div>
  )
}

function withDims(value: unknown, sizes: readonly number[]): unknown {
  return isRecord(value) && Array.isArray(value.dims) ? value : withMember(value, 'dims', sizes)
}
