import { Type } from '@sinclair/typebox'
import {
  type BatchedInference,
  defineInference,
  IsoplexError,
  type ModelInfo,
  multiplexed,
  type SingleInference,
  type Tensor,
  tensorOf,
} from '../../runtime/index.ts'
import { assertType, type Equal } from './equality.ts'

const Text = Type.Object({ text: Type.String() })
const Score = Type.Object({ score: Type.Number() })
const model = multiplexed(async () => ({ rate: async (text: string) => text.length }))

// One input, one model, one answer: the plain form needs no type written by hand.
defineInference({
  input: Text,
  output: Score,
  model,
  async infer(input, context) {
    assertType<Equal<typeof input, { text: string }>>()
    assertType<Equal<typeof context.model, { rate: (text: string) => Promise<number> }>>()
    assertType<Equal<typeof context.modelId, string>>()
    assertType<Equal<typeof context.modelInfo, ModelInfo>>()
    assertType<Equal<Awaited<ReturnType<typeof context.getModel>>, typeof context.model>>()
    assertType<Equal<typeof context.signal, AbortSignal>>()
    assertType<Equal<typeof context.state, undefined>>()
    return { score: await context.model.rate(input.text) }
  },
})

// With `batch` the inputs are a list, and what differs per request moves into `requests`.
defineInference({
  params: Type.Object({ lang: Type.String() }),
  query: Type.Object({ top: Type.Integer({ default: 1 }) }),
  input: Text,
  output: Score,
  model,
  batch: { maxSize: 8, maxDelayMs: 2 },
  async infer(inputs, context) {
    assertType<Equal<typeof inputs, readonly { text: string }[]>>()
    assertType<Equal<(typeof context.requests)[number]['params'], { lang: string }>>()
    assertType<Equal<(typeof context.requests)[number]['query'], { top: number }>>()
    assertType<Equal<typeof context.signal, AbortSignal>>()
    return Promise.all(inputs.map(async ({ text }) => ({ score: await context.model.rate(text) })))
  },
})

defineInference({
  input: Text,
  model,
  batch: { maxSize: 8, maxDelayMs: 2 },
  infer(inputs, context) {
    // @ts-expect-error a batch is of many callers: there is no one id, nor one principal
    context.requestId
    // @ts-expect-error the same for the parameters
    context.params
    return inputs.map(() => null)
  },
})

// An error at an index fails that request only, so errors stand beside results.
defineInference({
  input: Text,
  output: Score,
  model,
  batch: { maxSize: 8, maxDelayMs: 2 },
  infer: (inputs) =>
    inputs.map(({ text }) =>
      text === '' ? new IsoplexError('REQUEST_MALFORMED', 'Send a text.') : { score: text.length },
    ),
})

defineInference({
  input: Text,
  output: Score,
  model,
  batch: { maxSize: 8, maxDelayMs: 2 },
  // @ts-expect-error a batch is answered by a list, one result for each input
  infer: () => ({ score: 1 }),
})

defineInference({
  input: Text,
  output: Score,
  model,
  batch: { maxSize: 8, maxDelayMs: 2 },
  // @ts-expect-error each result of a batch has to fit the output schema
  infer: (inputs) => inputs.map(({ text }) => ({ score: text })),
})

defineInference({
  input: Text,
  output: Score,
  model,
  // @ts-expect-error without `batch` there is one input, which is no list
  infer: (inputs) => inputs.map(({ text }: { text: string }) => ({ score: text.length })),
})

defineInference({
  input: Text,
  output: Score,
  model,
  // @ts-expect-error without `batch` the result is one value
  infer: () => [{ score: 1 }],
})

// A result may be a stream of values, such as the tokens of a text.
defineInference({
  input: Text,
  output: Type.String(),
  model,
  async *infer({ text }) {
    yield text
  },
})

// `setup` alone says what the state is.
defineInference({
  input: Text,
  model,
  setup: () => ({ words: ['a'] }),
  infer(_, { state }) {
    assertType<Equal<typeof state, { words: string[] }>>()
    return state.words.length
  },
  teardown(state) {
    assertType<Equal<typeof state, { words: string[] }>>()
  },
})

// Warm-up inputs go past the decoder, so the compiler is what checks them.
defineInference({ input: Text, model, warmup: [{ text: 'a' }], infer: () => null })

defineInference({
  input: Text,
  model,
  // @ts-expect-error a warm-up input has to be an input
  warmup: [{ words: 'a' }],
  infer: () => null,
})

declare const batch: { maxSize: number; maxDelayMs: number } | undefined
defineInference({
  input: Text,
  model,
  batch,
  // @ts-expect-error with a batch or without: what `infer` gets must not hang on a value
  infer: () => null,
})

// @ts-expect-error inference without a model is what `defineFunction` is for
defineInference({ input: Text, infer: () => null })

// @ts-expect-error a model has nothing to infer from without an input
defineInference({ model, infer: () => null })

// @ts-expect-error a loader alone is not a model: `multiplexed` says how it is kept and freed
defineInference({ input: Text, model: async () => ({}), infer: () => null })

defineInference({
  input: Text,
  model,
  // @ts-expect-error both bounds of a batch are to be chosen: neither has a default that is right for all
  batch: { maxSize: 8 },
  infer() {
    throw new Error('Never called.')
  },
})

defineInference({
  input: Text,
  model,
  // @ts-expect-error an inference function answers POST and no other method
  method: 'GET',
  infer: () => null,
})

// What a client is to be typed by: in a batch each caller still sends one input and gets one result.
const batched = defineInference({
  input: tensorOf('float32', ['batch', 4]),
  output: tensorOf('float32', ['batch', 3]),
  model: multiplexed(() => ({ run: (x: Tensor<'float32'>) => x })),
  batch: { maxSize: 8, maxDelayMs: 2 },
  infer: (inputs, { model }) => inputs.map((input) => model.run(input)),
})
type Types = NonNullable<(typeof batched)['types']>
assertType<Equal<Types['input'], Tensor<'float32'>>>()
assertType<Equal<Types['output'], Tensor<'float32'>>>()

// The two forms by name, for whoever keeps a definition in a variable before it is used.
declare const single: SingleInference<
  undefined,
  undefined,
  typeof Text,
  typeof Score,
  unknown,
  undefined,
  { score: number }
>
declare const gathered: BatchedInference<
  undefined,
  undefined,
  typeof Text,
  typeof Score,
  unknown,
  undefined,
  { score: number }
>
defineInference(single)
defineInference(gathered)
assertType<Equal<Parameters<typeof single.infer>[0], { text: string }>>()
assertType<Equal<Parameters<typeof gathered.infer>[0], readonly { text: string }[]>>()
