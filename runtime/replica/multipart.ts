import { invalidInput } from './refusal.ts'

/** One part of a form, as the client sent it. */
export interface FormPart {
  readonly name: string
  /** The file's name; `null` where the part is no file. */
  readonly fileName: string | null
  /** The media type without parameters, in lower case; `null` where the part names none. */
  readonly mediaType: string | null
  /** A view of the body. */
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** The most bytes of the headers of one part. */
const maxHeadersBytes = 16 * 1024
const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Cuts a body of `multipart/form-data` (RFC 7578) into its parts, without a copy. Bun's own reader takes the
 * media type of a file from the ending of its name and passes over the one that the client gave.
 *
 * @throws {IsoplexError} `INPUT_INVALID` where the body is not made as its header says.
 */
export function parseMultipart(contentType: string, body: Uint8Array<ArrayBuffer>): FormPart[] {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const delimiter = `--${boundaryOf(contentType)}`
  const parts: FormPart[] = []
  let position = endOfFirstDelimiter(bytes, delimiter)
  while (bytes.toString('latin1', position, position + 2) !== '--') {
    const headersStart = endOfLine(bytes, position)
    const headersEnd = bytes.indexOf('\r\n\r\n', headersStart)
    const contentStart = headersEnd + 4
    const contentEnd = bytes.indexOf(`\r\n${delimiter}`, contentStart)
    if (headersEnd < 0 || contentEnd < 0 || headersEnd - headersStart > maxHeadersBytes) throw malformed()
    const headers = readHeaders(bytes.subarray(headersStart, headersEnd))
    parts.push({ ...headers, bytes: body.subarray(contentStart, contentEnd) })
    position = contentEnd + 2 + delimiter.length
  }
  return parts
}

function boundaryOf(contentType: string): string {
  const match = /;\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))\s*(?:;|$)/i.exec(contentType)
  const boundary = match?.[1] ?? match?.[2]
  if (boundary === undefined) throw malformed()
  return boundary
}

/** It stands at the start of the body, or of a line after a preamble. */
function endOfFirstDelimiter(bytes: Buffer, delimiter: string): number {
  if (bytes.toString('latin1', 0, delimiter.length) === delimiter) return delimiter.length
  const start = bytes.indexOf(`\r\n${delimiter}`)
  if (start < 0) throw malformed()
  return start + 2 + delimiter.length
}

/** Where the line of a delimiter ends, which may have spaces after it and nothing else. */
function endOfLine(bytes: Buffer, position: number): number {
  let end = position
  while (bytes[end] === 0x20 || bytes[end] === 0x09) end += 1
  if (bytes[end] !== 0x0d || bytes[end + 1] !== 0x0a) throw malformed()
  return end + 2
}

function readHeaders(bytes: Uint8Array): Omit<FormPart, 'bytes'> {
  const headers = new Map<string, string>()
  for (const line of textOf(bytes).split('\r\n')) {
    const [, name, value = ''] = /^([\w!#$%&'*+.^`|~-]+):[ \t]*(.*)$/.exec(line) ?? []
    if (name === undefined) throw malformed()
    headers.set(name.toLowerCase(), value)
  }
  const disposition = headers.get('content-disposition') ?? ''
  const name = parameterOf(disposition, 'name')
  if (!/^form-data\s*;/i.test(disposition) || name === null) throw malformed()
  const mediaType = headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase()
  return { name, fileName: parameterOf(disposition, 'filename'), mediaType: mediaType ?? null }
}

/** One parameter: its name, and its value with or without quotes. */
const parameter = /;\s*([\w*-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))(?=\s*(?:;|$))/g

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
