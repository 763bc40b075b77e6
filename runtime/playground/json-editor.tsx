import type { JSX } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { type EditorProps, useControl } from './form.tsx'
import { formatJson, readJson } from './json-text.ts'

/** Longer texts make an editor slow, and nobody reads them. */
const editableCharacters = 200_000

/** A value as JSON: the other view of what a form shows. A text that is no JSON changes nothing, and says why. */
export function JsonEditor({
  rows,
  onProblem,
  ...props
}: EditorProps & {
  readonly rows: number
  /** Hears whether the text is JSON; `null` where it is. */
  readonly onProblem?: (problem: string | null) => void
}): JSX.Element {
  const { label, value, onChange, pointer } = props
  const control = useControl(pointer)
  const own = useRef(value)
  const [text, setText] = useState(() => textOf(value))
  const [problem, setProblem] = useState<string | null>(null)
  const tell = (told: string | null): void => {
    setProblem(told)
    onProblem?.(told)
  }
  // Before anything else happens: later, what is typed meanwhile would be taken for a value from elsewhere.
  useLayoutEffect(() => {
    if (Object.is(own.current, value)) return
    own.current = value
    setText(textOf(value))
    tell(null)
  }, [value])
  const change = (changed: string): void => {
    setText(changed)
    const reading = readJson(changed)
    tell(reading.problem)
    if (reading.problem !== null) return
    own.current = reading.value
    onChange(reading.value)
  }
  const isLong = text.length > editableCharacters
  return (
    <div>
      <textarea
        {...control}
        aria-label={`${label} as JSON`}
        class="code"
        rows={rows}
        spellcheck={false}
        autocomplete="off"
        readOnly={isLong}
        value={isLong ? `${text.slice(0, editableCharacters)}…` : text}
        onInput={({ currentTarget }) => change(currentTarget.value)}
      />
      {isLong ? <p class="note">Too long to be changed here as text: {text.length} characters.</p> : null}
      <div class="wrong-text" aria-live="polite">
        {problem}
      </div>
    </div>
  )
}

function textOf(value: unknown): string {
  return value === undefined ? '' : formatJson(value)
}
