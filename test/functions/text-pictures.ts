import sharp from 'sharp'

/** A picture of known text. */
export interface TextPicture {
  readonly name: string
  /** The text's lines from the top of the picture as it is shown. */
  readonly lines: readonly string[]
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly mediaType: 'image/png' | 'image/jpeg' | 'image/webp'
}

/** How a picture is made. */
interface Plan {
  readonly font: string
  readonly size: number
  readonly text: keyof typeof texts
  /** Clockwise. @default 0 */
  readonly degrees?: number
  /** The spread of what is added to each shade. @default 0 */
  readonly noise?: number
  /** The spread of a blur, in pixels. @default none */
  readonly blur?: number
  /** From 1 to 100, as a JPEG. @default a PNG */
  readonly jpegQuality?: number
  /** As a WebP. */
  readonly webp?: boolean
  readonly ink?: string
  readonly paper?: string
}

const texts = {
  invoice: ['Invoice 2024-0817', 'Amount due: 1,349.50 EUR', 'Payable within 30 days', 'Account 4471902836'],
  harbour: ['The harbour opens at dawn', 'and closes after the last boat', 'has come back from the sea.'],
  warning: ['DANGER', 'HIGH VOLTAGE', 'Authorised staff only'],
  address: ['Maria Jensen', '27 Orchard Lane', 'Bristol BS8 4QT', 'maria@example.com'],
  table: ['Item Price Stock', 'Hammer 12.80 41', 'Chisel 9.25 17', 'Saw 24.00 8'],
  quote: ['Whoever has a garden and a library', 'has everything that is needed.'],
} as const satisfies Readonly<Record<string, readonly string[]>>

const cleanPlans: readonly Plan[] = [
  { font: 'DejaVu Sans', size: 28, text: 'invoice' },
  { font: 'DejaVu Serif', size: 24, text: 'harbour' },
  { font: 'DejaVu Sans Mono', size: 22, text: 'table', webp: true },
  { font: 'Liberation Sans', size: 32, text: 'address' },
  { font: 'Liberation Serif', size: 30, text: 'quote', jpegQuality: 92 },
  { font: 'Liberation Mono', size: 26, text: 'invoice', ink: 'navy', paper: 'beige' },
  { font: 'FreeSans', size: 56, text: 'warning', ink: 'white', paper: 'firebrick' },
  { font: 'FreeSerif', size: 36, text: 'harbour' },
  { font: 'DejaVu Sans', size: 18, text: 'quote' },
  { font: 'Liberation Serif', size: 28, text: 'invoice', degrees: 180 },
  { font: 'Liberation Sans', size: 30, text: 'harbour', degrees: 180 },
  { font: 'DejaVu Sans', size: 30, text: 'address', degrees: 4 },
  { font: 'FreeSans', size: 30, text: 'table', degrees: -6 },
]

const noisyPlans: readonly Plan[] = [
  { font: 'DejaVu Sans', size: 28, text: 'invoice', noise: 30 },
  { font: 'Liberation Serif', size: 30, text: 'harbour', noise: 20, blur: 1 },
  { font: 'Liberation Sans', size: 26, text: 'address', jpegQuality: 25 },
  { font: 'DejaVu Serif', size: 24, text: 'quote', blur: 1.5 },
  { font: 'FreeSans', size: 34, text: 'warning', noise: 40, ink: 'gold', paper: 'darkslategray' },
  { font: 'Liberation Mono', size: 26, text: 'table', noise: 25, jpegQuality: 40 },
  { font: 'DejaVu Sans', size: 30, text: 'harbour', noise: 25, degrees: 180 },
  { font: 'Liberation Sans', size: 30, text: 'invoice', noise: 20, blur: 0.8, degrees: 3 },
  { font: 'FreeSerif', size: 36, text: 'quote', jpegQuality: 20, degrees: -4 },
]

/** Pictures as a screen or a scanner gives them. */
export function renderCleanPictures(): Promise<TextPicture[]> {
  return Promise.all(cleanPlans.map(render))
}

/** Pictures with noise, blur and lossy compression. */
export function renderNoisyPictures(): Promise<TextPicture[]> {
  return Promise.all(noisyPlans.map(render))
}

async function render(plan: Plan, index: number): Promise<TextPicture> {
  const { font, size, text, degrees = 0, noise = 0, blur, ink = 'black', paper = 'white' } = plan
  const lines: readonly string[] = texts[text]
  const width = Math.ceil(2 * size + 0.75 * size * Math.max(...lines.map(({ length }) => length)))
  const height = Math.ceil(size * (1 + 1.8 * lines.length))
  const rows = lines.map((line, row) => `<text x="${size}" y="${size * (1.6 + 1.8 * row)}">${line}</text>`)
  const drawing = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
    <rect width="100%" height="100%" fill="${paper}"/>
    <g font-family="${font}" font-size="${size}" fill="${ink}">${rows.join('')}</g></svg>`
  const flat = sharp(Buffer.from(drawing)).flatten({ background: paper })
  const turned = sharp(await flat.png().toBuffer()).rotate(degrees, { background: paper })
  const soft = blur === undefined ? turned : turned.blur(blur)
  const { data, info } = await soft.removeAlpha().raw().toBuffer({ resolveWithObject: true })
  const grain = grainOf(index + 1)
  for (let at = 0; noise > 0 && at < data.length; at += 1) {
    data[at] = Math.min(255, Math.max(0, Math.round((data[at] as number) + noise * grain())))
  }
  const picture = sharp(data, { raw: { width: info.width, height: info.height, channels: 3 } })
  const encoded =
    plan.jpegQuality === undefined
      ? plan.webp === true
        ? picture.webp({ quality: 90 })
        : picture.png()
      : picture.jpeg({ quality: plan.jpegQuality })
  return {
    name: [font, size, text, ...(degrees === 0 ? [] : [`${degrees} degrees`])].join(', '),
    lines: degrees === 180 ? lines.toReversed() : lines,
    bytes: new Uint8Array(await encoded.toBuffer()),
    mediaType:
      plan.jpegQuality === undefined ? (plan.webp === true ? 'image/webp' : 'image/png') : 'image/jpeg',
  }
}

/** Numbers of a normal spread, the same at each call (Box and Muller, on a xorshift generator by Marsaglia). */
function grainOf(seed: number): () => number {
  let state = seed * 0x9e3779b9
  const next = (): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
  return () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
}

/** The share of characters that are right: one less the edits from one text to the other, by what was written. */
export function accuracyOf(pairs: readonly { readonly written: string; readonly read: string }[]): number {
  const length = pairs.reduce((sum, { written }) => sum + written.length, 0)
  return 1 - pairs.reduce((sum, { written, read }) => sum + editsBetween(written, read), 0) / length
}

/** Levenshtein's distance. */
function editsBetween(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (const [index, character] of [...from].entries()) {
    const next = [index + 1]
    for (let at = 1; at <= to.length; at += 1) {
      const kept = (row[at - 1] as number) + (to[at - 1] === character ? 0 : 1)
      next.push(Math.min(kept, (row[at] as number) + 1, (next[at - 1] as number) + 1))
    }
    row = next
  }
  return row.at(-1) as number
}
