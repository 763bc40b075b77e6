/** How often each digit was taken for each: rows by what was written, columns by what was read. */
export type Confusion = number[][]

const digits = Array.from({ length: 10 }, (_, digit) => digit)

/** Counts what was read against what was written; both lists are in the same order. */
export function tally(written: readonly number[], read: readonly number[]): Confusion {
  return digits.map((truth) =>
    digits.map((reading) => read.filter((digit, at) => digit === reading && written[at] === truth).length),
  )
}

/** A table with a head: one line for each digit that was written. */
export function toCsv(confusion: Confusion): string {
  const head = ['written', ...digits.map((digit) => `read ${digit}`)]
  const lines = confusion.map((counts, digit) => [digit, ...counts])
  return [head, ...lines].map((cells) => `${cells.join(',')}\n`).join('')
}

const cell = 40

/** A picture of the same table: the darker, the more of the digits in that row. */
export function toSvg(confusion: Confusion): string {
  const side = cell * (digits.length + 1)
  const heads = digits.flatMap((digit) => [label(digit, digit + 1, 0), label(digit, 0, digit + 1)])
  const cells = confusion.flatMap((counts, row) => {
    const all = counts.reduce((sum, count) => sum + count, 0)
    return counts.map((count, column) => square(count, all, column + 1, row + 1))
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${side} ${side}" font-family="sans-serif" font-size="12" text-anchor="middle">
<title>Digits: what was written (rows) against what was read (columns)</title>
<rect width="${side}" height="${side}" fill="#ffffff"/>
<text x="${side / 2}" y="13" fill="#6b7280">read</text>
<text x="13" y="${side / 2}" fill="#6b7280" transform="rotate(-90 13 ${side / 2})">written</text>
${[...heads, ...cells].join('\n')}
</svg>
`
}

function square(count: number, all: number, column: number, row: number): string {
  const share = all === 0 ? 0 : count / all
  const place = `x="${column * cell}" y="${row * cell}" width="${cell}" height="${cell}"`
  const shade = `<rect ${place} fill="#1d4ed8" fill-opacity="${share.toFixed(3)}" stroke="#e5e7eb"/>`
  return count === 0 ? shade : `${shade}\n${label(count, column, row, share > 0.5 ? '#ffffff' : '#111827')}`
}

function label(text: number, column: number, row: number, color = '#111827'): string {
  return `<text x="${(column + 0.5) * cell}" y="${(row + 0.6) * cell}" fill="${color}">${text}</text>`
}
