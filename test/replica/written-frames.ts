import { concat } from '../../runtime/replica/frame.ts'
import type { FrameWriter } from '../../runtime/replica/frame-writer.ts'

/** All that a writer has to hand on, as one piece. */
export function drain(writer: FrameWriter): Uint8Array<ArrayBuffer> {
  const written: Uint8Array[] = []
  writer.flush({
    write(bytes) {
      written.push(new Uint8Array(bytes))
      return bytes.length
    },
  })
  return concat(written)
}
