import { isErrorCode } from '../error/codes.ts'
import { fromWire, type WireError } from '../error/wire.ts'
import { chunksOf, type ReplyReading, senseless, tooLarge } from './reply-bytes.ts'

/**
 * Reads a stream of server-sent events whose data is JSON (HTML Standard, section 9.2).
 *
 * @throws {IsoplexError} the error with which the server ended the stream, whatever {@link fromWire} makes of it;
 * `FETCH_FAILED` where the stream breaks off or makes no sense.
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  reading: ReplyReading,
): AsyncGenerator<unknown, void> {
  let event = ''
  let data: string[] = []
  let length = 0
  for await (const text of linesOf(body, reading)) {
    if (text === '') {
      if (data.length > 0) yield itemOf(data.join('\n'), event === 'error', reading)
      event = ''
      data = []
      length = 0
      continue
    }
    const [, name, value = ''] = /^(\w*)(?:: ?(.*))?$/s.exec(text) ?? []
    length += value.length
    if (length > reading.maxBytes) throw tooLarge(reading)
    if (name === 'data') data.push(value)
    else if (name === 'event') event = value
  }
  if (data.length > 0) throw senseless('ends in the middle of an item', reading)
}

/** Reads a stream of lines of JSON (NDJSON). Throws as {@link readEvents} does. */
export async function* readLines(
  body: ReadableStream<Uint8Array>,
  reading: ReplyReading,
): AsyncGenerator<unknown, void> {
  for await (const item of readValues(body, reading)) yield unlessError(item, reading)
}

/** Reads lines of JSON as they are, of which none stands for an error. @throws {IsoplexError} `FETCH_FAILED` */
export async function* readValues(
  body: ReadableStream<Uint8Array>,
  reading: ReplyReading,
): AsyncGenerator<unknown, void> {
  for await (const text of linesOf(body, reading)) if (text !== '') yield parse(text, reading)
}

/** One item; or the error that it stands for, where it may be one. */
function itemOf(json: string, mayBeError: boolean, reading: ReplyReading): unknown {
  const item = parse(json, reading)
  return mayBeError ? unlessError(item, reading) : item
}

/** An item that may stand for an error. */
function unlessError(item: unknown, reading: ReplyReading): unknown {
  const error = errorIn(item)
  if (error) throw fromWire(error, reading.requestId)
  return item
}

function parse(json: string, reading: ReplyReading): unknown {
  try {
    return JSON.parse(json)
  } catch (cause) {
    throw senseless('has an item that is no JSON', reading, cause)
  }
}

function errorIn(item: unknown): WireError | null {
  if (typeof item !== 'object' || item === null || !('error' in item)) return null
  const error = item.error as Partial<WireError> | null
  const isError =
    isErrorCode(error?.code) && typeof error?.message === 'string' && Object.keys(item).length === 1
  return isError ? (error as WireError) : null
}

async function* linesOf(
  body: ReadableStream<Uint8Array>,
  reading: ReplyReading,
): AsyncGenerator<string, void> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of chunksOf(body, reading)) {
    // Only what is new is looked through: a long line comes in many chunks.
    const [end = '', ...lines] = decoder.decode(chunk, { stream: true }).split('\n')
    rest += end
    if (rest.length > reading.maxBytes) throw tooLarge(reading)
    for (const line of lines) {
      yield rest.replace(/\r$/, '')
      rest = line
    }
  }
  if (rest !== '') yield rest
}
