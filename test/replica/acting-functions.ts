/** Does to itself what it is told, one request after the other or in batches. */
const actor = `
const act = async ({ act, ms = 0, file } = {}) => {
  if (file) appendFileSync(file, 'begun')
  if (act === 'kill') process.kill(process.pid, 'SIGKILL')
  if (act === 'exit') process.exit(0)
  if (act === 'loop') for (;;);
  if (act === 'hang') await new Promise(() => {})
  await Bun.sleep(ms)
  return { act, pid: process.pid }
}
`
/** Answers one request after the other, or side by side. */
export const single = `${actor}
export default defineFunction({ input: Type.Any(), handler: ({ input }) => act(input) })
`
/** Answers batches, with a model. */
export const batched = `${actor}
export default defineInference({
  input: Type.Any(),
  model: multiplexed(() => null),
  batch: { maxSize: 8, maxDelayMs: 20 },
  infer: async (inputs) => (await Promise.all(inputs.map(act))).map((answer) => ({ ...answer, size: inputs.length })),
})
`
/** Counts until nobody listens. */
export const streaming = `
export default defineFunction({
  input: Type.Any(),
  handler: async function* ({ signal }) {
    for (let count = 0; !signal.aborted; count += 1) {
      yield { count }
      await Bun.sleep(5)
    }
  },
})
`
