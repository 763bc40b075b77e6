import { invalidInput } from './refusal.ts'

/** One part of a form, as the client sent it. */
export interface FormPart {
  readonly name: string
  /** The file's name; `null` where the part is no file. */
  readonly fileName: string | null
  /** The media type as it was sent; `null` where the part names none. */
  readonly contentType: string | null
  /** The same without parameters, in lower case. */
  readonly mediaType: string | null
  /** A view of the body. */
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** The most bytes of the headers of one part. */
const maxHeadersBytes = 16 * 1024
const utf8 = new TextDecoder('utf-8', { fatal: true })
const ascii = new TextEncoder()
const lineEnd = ascii.encode('\r\n')
const blankLine = ascii.encode('\r\n\r\n')
const closing = ascii.encode('--')

/**
 * Cuts a body of `multipart/form-data` (RFC 7578) into its parts, without a copy. Bun's own reader takes the
 * media type of a file from the ending of its name and passes over the one that the client gave.
 *
 * @throws {IsoplexError} `INPUT_INVALID` where the body is not made as its header says.
 */
export function parseMultipart(contentType: string, body: Uint8Array<ArrayBuffer>): FormPart[] {
  const delimiter = ascii.encode(`--${boundaryOf(contentType)}`)
  const lineDelimiter = joined(lineEnd, delimiter)
  const parts: FormPart[] = []
  let position = endOfFirstDelimiter(body, delimiter, lineDelimiter)
  while (!standsAt(body, closing, position)) {
    const headersStart = endOfLine(body, position)
    const headersEnd = find(body, blankLine, headersStart)
    const contentStart = headersEnd + blankLine.length
    const contentEnd = headersEnd < 0 ? -1 : find(body, lineDelimiter, contentStart)
    if (contentEnd < 0 || headersEnd - headersStart > maxHeadersBytes) throw malformed()
    const headers = readHeaders(body.subarray(headersStart, headersEnd))
    parts.push({ ...headers, bytes: body.subarray(contentStart, contentEnd) })
    position = contentEnd + lineDelimiter.length
  }
  return parts
}

/** Where some bytes stand from a position on; -1 where they do not. */
function find(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  const [first = 0] = wanted
  let position = bytes.indexOf(first, from)
  while (position >= 0 && !standsAt(bytes, wanted, position)) position = bytes.indexOf(first, position + 1)
  return position
}

function standsAt(bytes: Uint8Array, wanted: Uint8Array, position: number): boolean {
  return wanted.every((byte, index) => bytes[position + index] === byte)
}

function joined(left: Uint8Array, right: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(left.length + right.length)
  bytes.set(left)
  bytes.set(right, left.length)
  return bytes
}

function boundaryOf(contentType: string): string {
  const match = /;\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))\s*(?:;|$)/i.exec(contentType)
  const boundary = match?.[1] ?? match?.[2]
  if (boundary === undefined) throw malformed()
  return boundary
}

/** It stands at the start of the body, or of a line after a preamble. */
function endOfFirstDelimiter(bytes: Uint8Array, delimiter: Uint8Array, lineDelimiter: Uint8Array): number {
  if (standsAt(bytes, delimiter, 0)) return delimiter.length
  const start = find(bytes, lineDelimiter, 0)
  if (start < 0) throw malformed()
  return start + lineDelimiter.length
}

/** Where the line of a delimiter ends, which may have spaces after it and nothing else. */
function endOfLine(bytes: Uint8Array, position: number): number {
  let end = position
  while (bytes[end] === 0x20 || bytes[end] === 0x09) end += 1
  if (bytes[end] !== 0x0d || bytes[end + 1] !== 0x0a) throw malformed()
  return end + 2
}

function readHeaders(bytes: Uint8Array): Omit<FormPart, 'bytes'> {
  const headers = new Map<string, string>()
  for (const line of textOf(bytes).split('\r\n')) {
    const [, name, value = ''] = /^([\w!#$%&'*+.^`|~-]+):[ \t]*([^\r\n]*)$/.exec(line) ?? []
    if (name === undefined) throw malformed()
    headers.set(name.toLowerCase(), value)
  }
  const disposition = headers.get('content-disposition') ?? ''
  const name = parameterOf(disposition, 'name')
  if (!/^form-data\s*;/i.test(disposition) || name === null) throw malformed()
  const contentType = headers.get('content-type') ?? null
  const mediaType = contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? null
  return { name, fileName: parameterOf(disposition, 'filename'), contentType, mediaType }
}

/** One parameter: its name, and its value with or without quotes. */
const parameter = /;\s*([\w*-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))(?=\s*(?:;|$))/gs

/** A parameter of a header. Browsers write quotes and line ends in it as if in a URL, others with a backslash. */
function parameterOf(header: string, name: string): string | null {
  for (const [, key, quoted, bare = ''] of header.matchAll(parameter)) {
    if (key?.toLowerCase() !== name) continue
    if (quoted === undefined) return bare
    return quoted.replace(/\\(["\\])/g, '$1').replace(/%(?:0A|0D|22)/gi, decodeURIComponent)
  }
  return null
}

function textOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw malformed()
  }
}

function malformed(): Error {
  return invalidInput('', 'The body is not multipart/form-data with the boundary that its header names')
}
