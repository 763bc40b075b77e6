/** A file as a form holds it: a `data:` URL, or the base64 text alone where the media type is not told. */
export interface ReadFile {
  readonly mediaType: string | null
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** What a `data:` URL or base64 text holds; `null` where it is neither. */
export function readFileUrl(text: string): ReadFile | null {
  const [, mediaType = null, base64 = text] = /^data:([^;,]+);base64,(.*)$/s.exec(text) ?? []
  try {
    const binary = atob(base64)
    return { mediaType, bytes: Uint8Array.from(binary, (character) => character.charCodeAt(0)) }
  } catch {
    return null
  }
}

/** A file as a `data:` URL. A name that says no media type is `application/octet-stream`. */
export function fileUrlOf(bytes: Uint8Array, mediaType: string): string {
  let binary = ''
  // Beyond some ten thousand arguments a call has no room on the stack.
  for (let start = 0; start < bytes.length; start += 8_192) {
    binary += String.fromCharCode(...bytes.subarray(start, start + 8_192))
  }
  return `data:${mediaType.split(';', 1)[0] || 'application/octet-stream'};base64,${btoa(binary)}`
}

/** Whether a media type is one of those taken; a final star takes the family. */
export function takesMediaType(taken: readonly string[], mediaType: string): boolean {
  const plain = mediaType.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  return taken.some((range) => {
    if (range === '*/*') return true
    return range.endsWith('/*') ? plain.startsWith(range.slice(0, -1)) : range === plain
  })
}
