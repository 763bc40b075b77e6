/** Actions for tests of commands. */

/** Counts up to a number, tells all that can be told on the way, and leaves a file. */
export const counting = `
import { Type } from '@sinclair/typebox'
import { defineAction } from 'isoplex'
export default defineAction({
  access: 'public',
  params: Type.Object({ n: Type.Integer({ minimum: 1 }), ms: Type.Integer({ default: 1 }) }),
  progress: { inference: 3, postprocess: 1 },
  async execute({ params, setProgress, setMetrics, log, logMessage, files, signal }) {
    log('begun', { n: params.n })
    for (let count = 1; count <= params.n; count += 1) {
      signal.throwIfAborted()
      setProgress(count, params.n, 'inference')
      await Bun.sleep(params.ms)
    }
    setMetrics({ counted: params.n }, 'inference')
    logMessage('all counted', 'success')
    await files.write('counts.csv', 'n\\n' + params.n + '\\n', { mediaType: 'text/csv' })
    setProgress(1, 1, 'postprocess')
    return { sum: (params.n * (params.n + 1)) / 2 }
  },
})
`

/** Two steps: the first leaves a file in a folder, which its rollback takes away; the second waits, or fails. */
export const stepping = `
import { rmSync, writeFileSync } from 'node:fs'
import { Type } from '@sinclair/typebox'
import { defineAction, defineStep } from 'isoplex'
const params = Type.Object({ trace: Type.String(), fails: Type.Boolean({ default: false }), waits: Type.Boolean({ default: false }) })
export default defineAction({
  access: 'public',
  params,
  steps: [
    defineStep({
      name: 'fetch',
      execute: ({ params }) => writeFileSync(params.trace, 'fetched'),
      rollback: ({ params, logMessage }) => { logMessage('taken back'); rmSync(params.trace) },
    }),
    defineStep({
      name: 'work',
      weight: 3,
      async execute({ params, signal, logMessage }) {
        if (params.fails) throw new Error('it broke')
        logMessage('working')
        while (params.waits) { signal.throwIfAborted(); await Bun.sleep(5) }
      },
    }),
  ],
})
`

/** Gives many values, one after the other. */
export const listing = `
import { Type } from '@sinclair/typebox'
import { defineAction } from 'isoplex'
export default defineAction({
  access: 'public',
  params: Type.Object({ n: Type.Integer() }),
  async *execute({ params }) { for (let n = 0; n < params.n; n += 1) yield { n } },
})
`

/** Weighs a file. */
export const weighing = `
import { Type } from '@sinclair/typebox'
import { defineAction, file } from 'isoplex'
export default defineAction({
  access: 'public',
  params: Type.Object({ sound: file({ mediaTypes: ['audio/wav'] }), note: Type.Optional(Type.String()) }),
  execute: ({ params }) => ({ bytes: params.sound.bytes.length, note: params.note ?? null }),
})
`

/** Ends its process, each time. */
export const dying = `
import { defineAction } from 'isoplex'
export default defineAction({ access: 'public', execute: () => process.kill(process.pid, 'SIGKILL') })
`
