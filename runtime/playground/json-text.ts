/** JSON for people: members on lines of their own, and lists of plain values on as few lines as hold them. */
export function formatJson(value: unknown, indent = ''): string {
  if (Array.isArray(value)) return formatList(value, indent)
  if (typeof value !== 'object' || value === null) return formatPlain(value)
  const inner = `${indent}  `
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  if (members.length === 0) return '{}'
  const lines = members.map(
    ([name, member]) => `${inner}${JSON.stringify(name)}: ${formatJson(member, inner)}`,
  )
  return `{\n${lines.join(',\n')}\n${indent}}`
}

/** What a text of JSON says, or why it is none. */
export type JsonReading =
  | { readonly value: unknown; readonly problem: null }
  | { readonly value: undefined; readonly problem: string }

/** Reads a text of JSON. An empty one is no value, which a function that takes none wants. */
export function readJson(text: string): JsonReading {
  if (text.trim() === '') return { value: undefined, problem: null }
  try {
    return { value: JSON.parse(text), problem: null }
  } catch (error) {
    return { value: undefined, problem: error instanceof Error ? error.message : 'is no JSON' }
  }
}

/** What a text of numbers says: with commas, spaces or lines between, in brackets or not. */
export function readNumbers(text: string): readonly number[] | null {
  const words = text
    .replace(/^\s*\[|\]\s*$/g, '')
    .split(/[\s,;]+/)
    .filter(Boolean)
  const numbers = words.map(Number)
  return numbers.every(Number.isFinite) ? numbers : null
}

/** Numbers as a text that {@link readNumbers} reads, some to a line. */
export function formatNumbers(numbers: readonly unknown[]): string {
  return numbers.join(', ')
}

const lineWidth = 88

function formatList(values: readonly unknown[], indent: string): string {
  if (values.length === 0) return '[]'
  const inner = `${indent}  `
  if (values.some((value) => typeof value === 'object' && value !== null)) {
    return `[\n${values.map((value) => inner + formatJson(value, inner)).join(',\n')}\n${indent}]`
  }
  const lines: string[] = []
  let line = ''
  for (const [index, value] of values.entries()) {
    const word = formatPlain(value) + (index < values.length - 1 ? ',' : '')
    if (line !== '' && line.length + word.length + 1 > lineWidth) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  if (lines.length === 0) return `[${line}]`
  return `[\n${[...lines, line].map((text) => inner + text).join('\n')}\n${indent}]`
}

/** What JSON has no word for stands as text, so that an answer can be shown whatever it holds. */
function formatPlain(value: unknown): string {
  return typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? 'null')
}
