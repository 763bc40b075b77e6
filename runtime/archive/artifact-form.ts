/** What a model that came alone is called, whatever it was called before. */
export const loneModelName = 'model.onnx'

/**
 * Whether the first bytes of an artifact, two at least, are those of a zip archive. They begin with "PK", which no
 * ONNX model does; what a file is called says nothing.
 */
export function isArchive(head: Uint8Array): boolean {
  return head[0] === 0x50 && head[1] === 0x4b
}
