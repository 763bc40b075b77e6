import type { JSX } from 'preact'
import { useContext } from 'preact/hooks'
import { DrawingEditor } from './drawing-editor.tsx'
import { chooseEditor, type Editor } from './editor.ts'
import { FileEditor } from './file-editor.tsx'
import { type EditorProps, FieldFrame, FormContext } from './form.tsx'
import { JsonEditor } from './json-editor.tsx'
import { ListEditor } from './list-editor.tsx'
import { NumbersEditor } from './numbers-editor.tsx'
import { ObjectEditor } from './object-editor.tsx'
import { BooleanEditor, ChoiceEditor, NumberEditor, TextEditor } from './scalar-editor.tsx'
import { descriptionOf, type JsonSchema, resolveSchema } from './schema.ts'
import { SoundEditor } from './sound-editor.tsx'
import { addedValue } from './starting-value.ts'
import { TensorEditor } from './tensor-editor.tsx'
import { formPointer, VariantsEditor } from './variants-editor.tsx'

/** A value, and the schema by which it is edited. */
export interface FieldProps extends EditorProps {
  readonly schema: JsonSchema
  readonly required: boolean
  /** Removes the value where it need not be there. */
  readonly onRemove?: (() => void) | undefined
}

/** Editors that take a value away by being empty. */
const emptiable: ReadonlySet<Editor['kind']> = new Set(['text', 'number', 'choice', 'boolean'])
/** Editors of values that hold others. */
const branching: ReadonlySet<Editor['kind']> = new Set(['object', 'variants'])
/** Editors of several controls. */
const grouped: ReadonlySet<Editor['kind']> = new Set([
  'object',
  'list',
  'variants',
  'drawing',
  'sound',
  'tensor',
  'file',
])

/** One value of a form with its label; what is optional and absent is a button that adds it. */
export function Field({ schema, required, onRemove, ...props }: FieldProps): JSX.Element {
  const { document } = useContext(FormContext)
  const resolved = resolveSchema(schema, document)
  const editor = chooseEditor(resolved, document)
  const isOptional = !required && !emptiable.has(editor.kind)
  // A schema may hold itself: what is not there is not shown, or the form would have no end.
  const isOpen = branching.has(editor.kind) && props.pointer !== ''
  if ((isOptional || isOpen) && props.value === undefined) {
    const add = (): void => props.onChange(addedValue(resolved, document))
    return (
      <button type="button" class="add" onClick={add}>
        Add {props.label}
      </button>
    )
  }
  const remove = isOptional ? (): void => props.onChange(undefined) : undefined
  return (
    <FieldFrame
      label={props.label}
      pointer={editor.kind === 'variants' ? formPointer(props.pointer) : props.pointer}
      required={required}
      description={descriptionOf(resolved)}
      onRemove={onRemove ?? remove}
      grouped={grouped.has(editor.kind)}
    >
      {editorOf(editor, resolved, required, props)}
    </FieldFrame>
  )
}

function editorOf(editor: Editor, schema: JsonSchema, required: boolean, props: EditorProps): JSX.Element {
  switch (editor.kind) {
    case 'object':
      return <ObjectEditor {...props} schema={schema} field={Field} />
    case 'list':
      return <ListEditor {...props} schema={schema} field={Field} />
    case 'variants':
      return <VariantsEditor {...props} variants={editor.variants} field={Field} />
    case 'numbers':
      return <NumbersEditor {...props} />
    case 'drawing':
      return <DrawingEditor {...props} side={editor.side} />
    case 'sound':
      return <SoundEditor {...props} sampleRateHz={editor.sampleRateHz} maxSamples={editor.maxSamples} />
    case 'file':
      return <FileEditor {...props} mediaTypes={editor.mediaTypes} maxBytes={editor.maxBytes} />
    case 'tensor':
      return <TensorEditor {...props} type={editor.type} dims={editor.dims} />
    case 'choice':
      return <ChoiceEditor {...props} choices={editor.choices} />
    case 'boolean':
      return <BooleanEditor {...props} required={required} />
    case 'number':
      return <NumberEditor {...props} schema={schema} />
    case 'text':
      return <TextEditor {...props} schema={schema} required={required} />
    case 'json':
      return <JsonEditor {...props} rows={4} />
  }
}
