import { Type } from '@sinclair/typebox'
import {
  createClient,
  type FileValue,
  type Job,
  type JobHandle,
  type RouteList,
} from '../../runtime/client/index.ts'
import {
  defineAction,
  defineFunction,
  defineInference,
  file,
  multiplexed,
  type Tensor,
  tensor,
  tensorOf,
} from '../../runtime/index.ts'
import { assertType, type Equal } from './equality.ts'

const model = multiplexed(async () => 1)

const digits = defineInference({
  input: Type.Object({ pixels: Type.Array(Type.Number()) }),
  output: Type.Object({ digit: Type.Integer() }),
  model,
  batch: { maxSize: 2, maxDelayMs: 1 },
  infer: (inputs) => inputs.map(() => ({ digit: 1 })),
})
const mask = defineInference({
  params: Type.Object({ size: Type.Integer() }),
  input: Type.Object({ picture: file(), noise: Type.Optional(tensorOf('float32', [null])) }),
  output: tensorOf('float32', [null, null]),
  model,
  infer: () => tensor('float32', new Float32Array(), [0, 0]),
})
const hello = defineFunction({
  params: Type.Object({ name: Type.String() }),
  query: Type.Object({ loud: Type.Optional(Type.Boolean()) }),
  handler: () => ({ message: 'a', at: new Date(0) }),
})
const count = defineFunction({
  query: Type.Object({ to: Type.Integer() }),
  output: Type.Integer(),
  async *handler() {
    yield 1
  },
})
const masks = defineFunction({
  async *handler() {
    yield { mask: tensor('int8', new Int8Array(), [0]), at: new Date(0) }
  },
})
const raw = defineFunction({ method: ['GET', 'DELETE'], handler: () => new Response('a') })
const train = defineAction({
  params: Type.Object({ modelId: Type.String(), data: file(), epochs: Type.Optional(Type.Integer()) }),
  result: Type.Object({ loss: Type.Number() }),
  execute: () => ({ loss: 1 }),
})
const tidy = defineAction({ execute: () => 1 })

interface Routes {
  readonly digits: typeof digits
  readonly mask: typeof mask
  readonly 'hello/[name]': typeof hello
  readonly count: typeof count
  readonly masks: typeof masks
  readonly raw: typeof raw
  readonly train: typeof train
  readonly tidy: typeof tidy
  readonly 'tidy/[where]': typeof tidy
  readonly 'files/[...rest]': typeof raw
}

/** How a product would call its functions; it is compiled, and never run. */
export async function useClient(signal: AbortSignal): Promise<void> {
  const client = createClient<Routes>({ baseUrl: '/', token: async () => 'a' })
  assertType<Equal<Awaited<ReturnType<typeof client.routes>>, RouteList>>()

  // What a function takes and gives is what its schemas say.
  const { output, ran } = await client.digits.infer({ pixels: [1] }, { where: 'auto', signal, timeoutMs: 5 })
  assertType<Equal<typeof output, { digit: number }>>()
  assertType<Equal<typeof ran.where, 'browser' | 'server'>>()
  // @ts-expect-error the input has numbers
  await client.digits.infer({ pixels: ['1'] })
  // @ts-expect-error the input is compulsory
  await client.digits.infer()
  // @ts-expect-error the output has no such member
  output.letter
  // @ts-expect-error there is no such place
  await client.digits.infer({ pixels: [] }, { where: 'moon' })
  // @ts-expect-error there is no such function
  await client.letters.infer({ pixels: [] })

  // The kind of a function says how it is called, so that there is one way for each.
  // @ts-expect-error an inference function has a model to infer with
  await client.digits.call({ input: { pixels: [] } })
  // @ts-expect-error an edge function has none
  await client.count.infer(undefined, { query: { to: 1 } })
}

/** How it would send files, and read what is no plain value. */
export async function useFurther(picture: File): Promise<void> {
  const client = createClient<Routes>({ baseUrl: '/', token: null })

  // A page has files of its own kind.
  const masked = await client.mask.infer({ picture }, { params: { size: 5 } })
  assertType<Equal<typeof masked.output, Tensor<'float32'>>>()
  await client.mask.infer(
    { picture: {} as FileValue, noise: tensor('float32', new Float32Array(1), [1]) },
    { params: { size: 5 } },
  )
  // @ts-expect-error a text is no file
  await client.mask.infer({ picture: 'data:' }, { params: { size: 5 } })
  // @ts-expect-error the tensor has other elements
  await client.mask.infer({ picture, noise: tensor('int8', new Int8Array(1), [1]) }, { params: { size: 5 } })
  // @ts-expect-error the path has a parameter
  await client.mask.infer({ picture })
  // @ts-expect-error the parameter is a number
  await client.mask.infer({ picture }, { params: { size: 'large' } })

  // What is sent as JSON comes as JSON: a date is a text.
  const greeting = await client['hello/[name]'].call({ params: { name: 'Ada' }, query: { loud: true } })
  assertType<Equal<typeof greeting.output, { message: string; at: string }>>()
  // @ts-expect-error the query has a truth value
  await client['hello/[name]'].call({ params: { name: 'Ada' }, query: { loud: 'yes' } })
  // @ts-expect-error the path has a parameter
  await client['hello/[name]'].call()
  // @ts-expect-error the function takes no input
  await client['hello/[name]'].call({ params: { name: 'Ada' }, input: {} })

  // A stream is read item by item.
  const counted = await client.count.call({ query: { to: 3 } })
  assertType<Equal<typeof counted.output, AsyncIterable<number>>>()
  // @ts-expect-error the query is compulsory
  await client.count.call({})

  // Items of a stream are JSON, and so is what they hold.
  const masks = await client.masks.call()
  assertType<
    Equal<
      typeof masks.output,
      AsyncIterable<{
        mask: { type: 'int8'; dims: readonly number[]; data: readonly (number | string | boolean)[] }
        at: string
      }>
    >
  >()

  // What is in a response of the function's own is not known, and a path without a schema is of texts.
  const answered = await client.raw.call({ method: 'DELETE' })
  assertType<Equal<typeof answered.output, unknown>>()
  await client['files/[...rest]'].call({ params: { rest: 'a/b' } })
  // @ts-expect-error the name tells of another parameter
  await client['files/[...rest]'].call({ params: { path: 'a/b' } })
}

/** How it would submit jobs. */
export async function useJobs(data: File, signal: AbortSignal): Promise<void> {
  const client = createClient<Routes>({ baseUrl: '/' })

  // A job takes the action's parameters, and gives what its schema says, whole or one by one.
  const job = await client.train.submit({ modelId: 'a', data }, { signal, idempotencyKey: 'a' })
  assertType<Equal<typeof job, JobHandle<{ loss: number }>>>()
  assertType<Equal<typeof job.job, Job>>()
  const result = await job.result({ timeoutMs: 5, onProgress: ({ overall }) => overall.toFixed() })
  assertType<Equal<typeof result, { loss: number }>>()
  for await (const each of job.results()) assertType<Equal<typeof each, { loss: number }>>()
  // @ts-expect-error the data are compulsory
  await client.train.submit({ modelId: 'a' })
  // @ts-expect-error the parameters are compulsory
  await client.train.submit()
  // @ts-expect-error an action is no function
  await client.train.call()
  // @ts-expect-error a function is no action
  await client.count.submit()

  // Without a schema there are no parameters, and the result is not known.
  const tidied = await client.tidy.submit()
  assertType<Equal<typeof tidied, JobHandle<unknown>>>()
  await client['tidy/[where]'].submit(undefined, { params: { where: 'a' } })
  // @ts-expect-error the path has a parameter
  await client['tidy/[where]'].submit()

  const found = await client.jobs.get('job_a')
  assertType<Equal<typeof found, JobHandle>>()
  for (const { id, state } of await client.jobs.list({ state: 'failed', limit: 5 })) found.file(id + state)
}

// Without types, a function is called by any name and in either way; a name may be none.
const untyped = createClient({ baseUrl: 'http://localhost' })
void untyped.anything?.call({ input: 1, params: { a: 1 }, query: { b: [1] } })
void untyped.anything?.infer(1, { params: { a: 1 } })
void untyped.anything?.submit({ a: 1 })

// @ts-expect-error a client has to know its server
createClient({})
// @ts-expect-error a token is a text, or comes of what gives one
createClient({ baseUrl: '/', token: 5 })
