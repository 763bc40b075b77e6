import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import { FilePreview } from './file-editor.tsx'
import { formatJson } from './json-text.ts'
import { isRecord } from './schema.ts'

/** Lists of at most this many numbers are bars, longer ones a line. */
const mostBars = 24
/** A text of JSON is shown up to here. */
const shownCharacters = 20_000

/** What a function returned: its plain members as words, numbers as pictures, files as files, and all of it as JSON. */
export function Output({ value }: { readonly value: unknown }): JSX.Element {
  const plain = useMemo(() => plainOf(value), [value])
  if (isFile(value)) return <FileOutput file={value} />
  const members = isRecord(plain) ? Object.entries(plain) : [['result', plain] as const]
  return (
    <div class="output">
      {members.map(([name, member]) => (
        <Member key={name} name={name} value={member} />
      ))}
      <details>
        <summary>JSON</summary>
        <JsonText value={plain} />
      </details>
    </div>
  )
}

function Member({ name, value }: { readonly name: string; readonly value: unknown }): JSX.Element | null {
  if (isNumbers(value)) {
    return (
      <figure>
        <figcaption>
          {name} <span class="faint">{value.length}</span>
        </figcaption>
        {value.length <= mostBars ? <Bars values={value} name={name} /> : <Line values={value} name={name} />}
      </figure>
    )
  }
  if (typeof value === 'object' && value !== null) {
    return (
      <figure>
        <figcaption>{name}</figcaption>
        <JsonText value={value} />
      </figure>
    )
  }
  const text = String(value)
  return (
    <p class="member">
      <span class="name">{name}</span>
      <output class={text.length > 40 ? 'long' : ''}>
        {text.length > 160 ? `${text.slice(0, 160)}…` : text}
      </output>
    </p>
  )
}

function JsonText({ value }: { readonly value: unknown }): JSX.Element {
  const text = formatJson(value)
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keys.
    <pre tabIndex={0}>{text.length > shownCharacters ? `${text.slice(0, shownCharacters)}…` : text}</pre>
  )
}

function Bars({ values, name }: { readonly values: readonly number[]; readonly name: string }): JSX.Element {
  const most = Math.max(...values.map(Math.abs), Number.MIN_VALUE)
  const largest = values.indexOf(Math.max(...values))
  return (
    <ol class="bars" start={0} aria-label={name}>
      {values.map((value, index) => (
        <li key={index} class={index === largest ? 'largest' : ''}>
          <span class="index">{index}</span>
          <meter min={0} max={most} value={Math.abs(value)} aria-label={`${name} ${index}`} />
          <span class="number">{Number(value.toPrecision(3))}</span>
        </li>
      ))}
    </ol>
  )
}

function Line({ values, name }: { readonly values: readonly number[]; readonly name: string }): JSX.Element {
  const [low, high] = values.reduce(
    ([least, most], value) => [Math.min(least, value), Math.max(most, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  )
  const span = high - low || 1
  const step = Math.max(1, Math.ceil(values.length / 600))
  const points = values.flatMap((value, index) =>
    index % step === 0
      ? [
          `${((index / (values.length - 1)) * 600).toFixed(1)},${(98 - ((value - low) / span) * 96).toFixed(1)}`,
        ]
      : [],
  )
  return (
    <>
      <svg class="line" viewBox="0 0 600 100" preserveAspectRatio="none" role="img">
        <title>{`${name}: ${values.length} numbers from ${low} to ${high}`}</title>
        <polyline points={points.join(' ')} />
      </svg>
      <p class="note">
        {Number(low.toPrecision(4))} to {Number(high.toPrecision(4))}
      </p>
    </>
  )
}

interface FileOutputProps {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly mediaType: string
  readonly name: string | null
}

function FileOutput({ file }: { readonly file: FileOutputProps }): JSX.Element {
  const save = (): void => {
    const url = URL.createObjectURL(new Blob([file.bytes], { type: file.mediaType }))
    const link = document.createElement('a')
    link.href = url
    link.download = file.name ?? 'output'
    link.click()
    URL.revokeObjectURL(url)
  }
  const text = file.mediaType.startsWith('text/')
    ? new TextDecoder().decode(file.bytes.subarray(0, 4_000))
    : null
  return (
    <div class="output">
      <FilePreview file={file} />
      {text === null ? null : <pre>{text}</pre>}
      <button type="button" onClick={save}>
        Save
      </button>
    </div>
  )
}

/** A value as JSON would have it: files by their size, tensors with their values in a list. */
function plainOf(value: unknown): unknown {
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return Array.from(value as Float32Array)
  if (isFile(value)) return `${value.mediaType}, ${value.bytes.length} bytes`
  if (isNumbers(value)) return value
  if (Array.isArray(value)) return (value as readonly unknown[]).map(plainOf)
  if (!isRecord(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plainOf(member)]))
}

function isFile(value: unknown): value is FileOutputProps {
  return isRecord(value) && value.bytes instanceof Uint8Array && typeof value.mediaType === 'string'
}

function isNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 1 && value.every((item) => typeof item === 'number')
}
