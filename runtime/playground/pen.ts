import type { TargetedKeyboardEvent, TargetedPointerEvent } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { type Point, sheetSide } from './ink.ts'

/** What a pen writes on. */
export interface Sheet {
  readonly canvas: { current: HTMLCanvasElement | null }
  /** Draws from one place to another. */
  stroke(from: Point, to: Point): void
  /** Tells what is drawn. */
  change(): void
  /** Empties it, and tells so. */
  clear(): void
}

/** A pen that a mouse, a finger or keys move, and what listens to them on a canvas. */
export interface Pen {
  readonly at: Point
  /** Whether it was set down by keys. */
  readonly isDown: boolean
  readonly handlers: {
    onPointerDown(event: TargetedPointerEvent<HTMLCanvasElement>): void
    onPointerMove(event: TargetedPointerEvent<HTMLCanvasElement>): void
    onPointerUp(): void
    onPointerCancel(): void
    onKeyDown(event: TargetedKeyboardEvent<HTMLCanvasElement>): void
  }
}

/** How far an arrow key moves the pen, alone and with shift, in pixels of the sheet. */
const penStep = { usual: 10, fine: 2 }
const arrows: Readonly<Record<string, Point>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
}

/** The pen of a sheet. What it draws is told when it is lifted; by keys, after each step. */
export function usePen(sheet: Sheet): Pen {
  // Keys come quicker than the page is drawn anew, so where the pen is must not wait for that.
  const pen = useRef<PenState>({ at: { x: sheetSide / 2, y: sheetSide / 2 }, isDown: false, last: null })
  const [{ at, isDown }, show] = useState<PenState>(pen.current)
  const become = (changes: Partial<PenState>): void => {
    pen.current = { ...pen.current, ...changes }
    show(pen.current)
  }
  const draw = (to: Point): void => {
    sheet.stroke(pen.current.last ?? to, to)
    become({ at: to, last: to })
  }
  const lift = (): void => {
    if (pen.current.last !== null) sheet.change()
    become({ last: null })
  }
  const walk = (arrow: Point, isFine: boolean): void => {
    const from = pen.current.at
    const to = moved(from, arrow, isFine ? penStep.fine : penStep.usual)
    become({ at: to })
    if (!pen.current.isDown) return
    sheet.stroke(from, to)
    sheet.change()
  }
  const toggle = (): void => {
    become({ isDown: !pen.current.isDown })
    if (!pen.current.isDown) return
    sheet.stroke(pen.current.at, pen.current.at)
    sheet.change()
  }
  const handlers: Pen['handlers'] = {
    onPointerDown(event) {
      if (event.button !== 0) return
      event.currentTarget.setPointerCapture(event.pointerId)
      become({ isDown: false, last: null })
      draw(pointOf(event, event.currentTarget))
    },
    onPointerMove(event) {
      const canvas = event.currentTarget
      if (pen.current.last === null || !canvas.hasPointerCapture(event.pointerId)) return
      // A browser gathers the steps of a quick hand into one event.
      const steps = event.getCoalescedEvents()
      for (const step of steps.length > 0 ? steps : [event]) draw(pointOf(step, canvas))
    },
    onPointerUp: lift,
    onPointerCancel: lift,
    onKeyDown(event) {
      const arrow = arrows[event.key]
      if (arrow !== undefined) walk(arrow, event.shiftKey)
      else if (event.key === ' ') toggle()
      else if (event.key === 'Delete' || event.key === 'Backspace') sheet.clear()
      else return
      event.preventDefault()
    },
  }
  return { at, isDown, handlers }
}

/** Where a pen is, whether keys have set it down, and where a hand has drawn to; `null` where none draws. */
interface PenState {
  readonly at: Point
  readonly isDown: boolean
  readonly last: Point | null
}

function moved({ x, y }: Point, arrow: Point, step: number): Point {
  const clamp = (value: number): number => Math.max(0, Math.min(sheetSide, value))
  return { x: clamp(x + arrow.x * step), y: clamp(y + arrow.y * step) }
}

function pointOf({ clientX, clientY }: MouseEvent, canvas: HTMLCanvasElement): Point {
  const { left, top, width, height } = canvas.getBoundingClientRect()
  return { x: ((clientX - left) / width) * sheetSide, y: ((clientY - top) / height) * sheetSide }
}
