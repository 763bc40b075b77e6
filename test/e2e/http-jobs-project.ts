/** A job whose length, words and result are as its parameters say; `hold` ends with a cancellation only. */
export const workFile = `import { Type } from '@sinclair/typebox'
import { defineAction } from 'isoplex'

export default defineAction({
  params: Type.Object({
    ticks: Type.Integer({ minimum: 0, maximum: 100_000 }),
    everyMs: Type.Optional(Type.Integer({ minimum: 0 })),
    lines: Type.Optional(Type.Integer({ minimum: 0 })),
    hold: Type.Optional(Type.Boolean()),
    fail: Type.Optional(Type.Boolean()),
    fileBytes: Type.Optional(Type.Integer({ minimum: 0 })),
  }),
  async execute({ params, setProgress, logMessage, log, files, signal }) {
    const { ticks, everyMs = 0, lines, hold, fail, fileBytes } = params
    logMessage('The work has begun.')
    if (fileBytes !== undefined) {
      await files.write('page.html', '<script>alert(1)</script>', { mediaType: 'text/html' })
      await files.write('large.bin', new Uint8Array(fileBytes).fill(7))
    }
    for (let tick = 1; tick <= ticks; tick += 1) {
      log('tick', { tick })
      setProgress(tick, ticks, 'inference')
      if (everyMs > 0) await new Promise((resolve) => setTimeout(resolve, everyMs))
      signal.throwIfAborted()
    }
    if (hold) await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    if (fail) throw new Error('a secret of the action')
    if (lines === undefined) return { ticks }
    return (async function* () {
      for (let line = 1; line <= lines; line += 1) yield { line }
    })()
  },
})
`

/** The same without one. */
export const openFile = workFile.replace('defineAction({', "defineAction({\n  access: 'public',")
