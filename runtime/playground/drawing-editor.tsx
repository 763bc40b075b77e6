import type { JSX } from 'preact'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { centreDrawing } from './centring.ts'
import { type EditorProps, useControl } from './form.tsx'
import { clearSheet, drawStroke, readInk, sheetSide, showValues } from './ink.ts'
import { type Sheet, usePen } from './pen.ts'

/** A square picture by its side in pixels. */
export interface DrawingEditorProps extends EditorProps {
  readonly side: number
}

/** A sheet to draw on by mouse, finger, pen or keyboard, and beside it what is sent: scaled and centred. */
export function DrawingEditor({ side, ...props }: DrawingEditorProps): JSX.Element {
  const { label, pointer, value, onChange } = props
  const control = useControl(pointer)
  const sheet = useSheet(value, side, onChange)
  const pen = usePen(sheet)
  const values = Array.isArray(value) ? value : []
  return (
    <div class="drawing">
      <div class="sheet">
        {/* biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: keys draw on it, as the label says. */}
        <canvas
          {...control}
          {...pen.handlers}
          ref={sheet.canvas}
          width={sheetSide}
          height={sheetSide}
          tabIndex={0}
          role="application"
          aria-label={`${label}: draw here. Arrow keys move the pen, space sets it down or lifts it, Delete clears.`}
        />
        <svg class="pen" viewBox={`0 0 ${sheetSide} ${sheetSide}`} aria-hidden="true">
          <circle cx={pen.at.x} cy={pen.at.y} r={pen.isDown ? 8 : 12} class={pen.isDown ? 'down' : ''} />
        </svg>
      </div>
      <div class="drawing-side">
        <Preview values={values} side={side} />
        <p class="note">
          Sent: {side} × {side}, scaled and centred.
        </p>
        <button type="button" onClick={sheet.clear}>
          Clear
        </button>
        <p class="note">By keys: arrows move, space draws, shift is finer.</p>
        <span class="hidden" aria-live="polite">
          {pen.isDown ? 'Pen down' : 'Pen up'}
        </span>
      </div>
    </div>
  )
}

function Preview({
  values,
  side,
}: {
  readonly values: readonly unknown[]
  readonly side: number
}): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    if (canvas.current !== null) showValues(canvas.current, values, side)
  }, [values, side])
  return (
    <canvas ref={canvas} class="preview" width={side} height={side} role="img" aria-label="What is sent" />
  )
}

/** A sheet that shows a value from elsewhere until somebody draws, which begins on an empty one. */
function useSheet(value: unknown, side: number, onChange: (value: unknown) => void): Sheet {
  const canvas = useRef<HTMLCanvasElement>(null)
  const own = useRef<unknown>(null)
  // Before anything else happens: later, what is drawn meanwhile would be taken for a value from elsewhere.
  useLayoutEffect(() => {
    if (canvas.current === null || Object.is(own.current, value)) return
    own.current = null
    showValues(canvas.current, Array.isArray(value) ? value : [], side)
  }, [value, side])
  const change = (): void => {
    if (canvas.current === null) return
    own.current = centreDrawing(readInk(canvas.current), side)
    onChange(own.current)
  }
  return {
    canvas,
    stroke(from, to) {
      if (canvas.current === null) return
      if (own.current === null) clearSheet(canvas.current)
      // From now on what is on the sheet is drawn, though not yet told.
      own.current ??= value
      drawStroke(canvas.current, from, to)
    },
    change,
    clear() {
      if (canvas.current !== null) clearSheet(canvas.current)
      change()
    },
  }
}
