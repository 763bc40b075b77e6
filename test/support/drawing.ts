import type { Page } from 'playwright-core'

/** A point of a drawing: 0 to 1, from left to right and from top to bottom. */
export type Point = readonly [x: number, y: number]

/** The stroke of a seven, as people draw it. */
export const sevenStroke: readonly Point[] = [
  [0.28, 0.22],
  [0.5, 0.21],
  [0.72, 0.22],
  [0.62, 0.42],
  [0.53, 0.6],
  [0.46, 0.82],
]

/** Draws one stroke over an element with the mouse. */
export async function draw(
  page: Page,
  selector: string,
  [first, ...others]: readonly Point[],
): Promise<void> {
  const box = await page.locator(selector).boundingBox()
  if (!box || !first) throw new Error(`There is nothing to draw, or no ${selector} to draw on.`)
  const place = ([x, y]: Point): [number, number] => [box.x + x * box.width, box.y + y * box.height]
  await page.mouse.move(...place(first))
  await page.mouse.down()
  for (const point of others) await page.mouse.move(...place(point), { steps: 5 })
  await page.mouse.up()
}
