import type { FunctionComponent, JSX } from 'preact'
import type { FieldProps } from './field.tsx'
import type { EditorProps } from './form.tsx'
import { inOrder, pointerTo, withMember } from './place.ts'
import { isRecord, type JsonSchema, propertiesOf, requiredOf } from './schema.ts'

/** An object whose members are edited one by one. */
export interface ObjectEditorProps extends EditorProps {
  readonly schema: JsonSchema
  readonly field: FunctionComponent<FieldProps>
}

/** The members of an object. Those that the schema does not know are kept and are seen as JSON only. */
export function ObjectEditor(props: ObjectEditorProps): JSX.Element {
  const { schema, value, onChange, pointer, field: Field } = props
  const required = requiredOf(schema)
  const names = Object.keys(propertiesOf(schema))
  return (
    <div class={pointer === '' ? 'members' : 'members nested'}>
      {Object.entries(propertiesOf(schema)).map(([name, property]) => (
        <Field
          key={name}
          schema={property}
          label={name}
          pointer={pointer + pointerTo([name])}
          // What has a default starts with it: there is nothing to add.
          required={required.includes(name) || 'default' in property}
          value={isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined}
          onChange={(member) => onChange(inOrder(withMember(value, name, member), names))}
        />
      ))}
    </div>
  )
}
