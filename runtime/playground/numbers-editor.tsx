import type { JSX } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { type EditorProps, useControl } from './form.tsx'
import { formatNumbers, readNumbers } from './json-text.ts'

/** More numbers than this are shown by their count and range. */
const editableCount = 5_000

/** Many numbers as one text, however many they are: never a field for each. */
export function NumbersEditor({ label, value, onChange, pointer }: EditorProps): JSX.Element {
  const control = useControl(pointer)
  const numbers: readonly unknown[] = Array.isArray(value) ? value : []
  const own = useRef(value)
  const [text, setText] = useState(() => formatNumbers(numbers))
  const [isWrong, setWrong] = useState(false)
  // Before anything else happens: later, what is typed meanwhile would be taken for a value from elsewhere.
  useLayoutEffect(() => {
    if (Object.is(own.current, value)) return
    own.current = value
    setText(formatNumbers(Array.isArray(value) ? value : []))
    setWrong(false)
  }, [value])
  const change = (changed: string): void => {
    setText(changed)
    const read = readNumbers(changed)
    setWrong(read === null)
    if (read === null) return
    own.current = read
    onChange(read)
  }
  if (numbers.length > editableCount) {
    return (
      <div class="row">
        <span class="note">{numbers.length} numbers, too many to show.</span>
        <button type="button" id={control.id} class="quiet" onClick={() => onChange([])}>
          Clear
        </button>
      </div>
    )
  }
  return (
    <div>
      <textarea
        {...control}
        aria-label={label}
        class="code"
        rows={4}
        spellcheck={false}
        value={text}
        onInput={({ currentTarget }) => change(currentTarget.value)}
      />
      <div class="row">
        <span class="note">{numbers.length} numbers, with commas, spaces or lines between.</span>
      </div>
      <div class="wrong-text" aria-live="polite">
        {isWrong ? 'holds something that is no number' : ''}
      </div>
    </div>
  )
}
