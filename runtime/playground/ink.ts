import type { Picture } from './centring.ts'

/** The width and height of the sheet that is drawn on, in pixels of its own. */
export const sheetSide = 280

/** Of the sheet's side: a stroke as wide as those of MNIST for a digit that fills most of the sheet. */
const strokeShare = 1 / 12

/** A place on a sheet. */
export interface Point {
  readonly x: number
  readonly y: number
}

/** Draws a stroke from one place to another; the same place twice makes a dot. */
export function drawStroke(canvas: HTMLCanvasElement, from: Point, to: Point): void {
  const context = contextOf(canvas)
  context.lineWidth = sheetSide * strokeShare
  context.lineCap = 'round'
  context.strokeStyle = '#fff'
  context.beginPath()
  context.moveTo(from.x, from.y)
  context.lineTo(to.x, to.y)
  context.stroke()
  // A line of no length is not drawn, whatever its ends.
  context.beginPath()
  context.arc(to.x, to.y, context.lineWidth / 2, 0, 2 * Math.PI)
  context.fillStyle = context.strokeStyle
  context.fill()
}

/** Empties a sheet. */
export function clearSheet(canvas: HTMLCanvasElement): void {
  contextOf(canvas).clearRect(0, 0, canvas.width, canvas.height)
}

/** What is drawn on a sheet. */
export function readInk(canvas: HTMLCanvasElement): Picture {
  const { width, height, data } = contextOf(canvas).getImageData(0, 0, canvas.width, canvas.height)
  const ink = Float32Array.from({ length: width * height }, (_, index) => (data[4 * index + 3] ?? 0) / 255)
  return { width, height, ink }
}

/** Shows values from 0 to 1 as a square picture that fills a canvas, white on what lies below. */
export function showValues(canvas: HTMLCanvasElement, values: readonly unknown[], side: number): void {
  const image = new ImageData(side, side)
  for (let index = 0; index < side * side; index += 1) {
    image.data.set([255, 255, 255, 255 * Math.max(0, Math.min(1, Number(values[index]) || 0))], 4 * index)
  }
  const small = document.createElement('canvas')
  small.width = side
  small.height = side
  contextOf(small).putImageData(image, 0, 0)
  const context = contextOf(canvas)
  clearSheet(canvas)
  context.imageSmoothingEnabled = false
  context.drawImage(small, 0, 0, canvas.width, canvas.height)
}

function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext('2d', { willReadFrequently: true })
  if (context === null) throw new Error('This browser gives no more canvases; close other pages.')
  return context
}
