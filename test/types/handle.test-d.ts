// Compiled, not run: what a handle takes and gives is what the function that it calls has said.
import { Type } from '@sinclair/typebox'
import {
  defineAction,
  defineFunction,
  defineInference,
  type FileValue,
  type FunctionHandle,
  file,
  multiplexed,
  onnx,
  type Tensor,
  tensorOf,
} from 'isoplex'
import type { Equal } from './equality.ts'

const found = defineInference({
  input: Type.Object({ image: tensorOf('float32', [1, 'h', 'w']), note: Type.Optional(Type.String()) }),
  output: Type.Object({ boxes: Type.Array(Type.Number()), mask: tensorOf('uint8', ['h', 'w']) }),
  model: onnx({ inputs: ['x'], outputs: ['y'] }),
  batch: { maxSize: 8, maxDelayMs: 1 },
  infer: (inputs) => inputs.map(({ image }) => ({ boxes: [1], mask: image as Tensor as Tensor<'uint8'> })),
})
const words = defineInference({
  input: Type.String(),
  output: Type.String(),
  model: multiplexed(() => null),
  async *infer(text) {
    yield* text.split(' ')
  },
})
const routed = defineFunction({
  params: Type.Object({ id: Type.Integer() }),
  query: Type.Object({ many: Type.Optional(Type.Integer()) }),
  input: Type.Object({ picture: file() }),
  output: Type.Object({ picture: file() }),
  handler: ({ input }) => input,
})
const idle = defineFunction({ handler: () => 'idle' as const })

defineFunction({
  input: Type.Object({ image: tensorOf('float32', [1, 'h', 'w']), picture: file() }),
  async handler({ input: { image, picture }, handle }) {
    const finding = handle(found, { model: 'finder@3', deployment: 'fast' })
    const answer = await finding.infer({ image }, { timeoutMs: 100 })
    const boxes: Equal<typeof answer.boxes, number[]> = true
    const mask: Equal<typeof answer.mask, Tensor<'uint8'>> = true
    // @ts-expect-error no such input
    await finding.infer({ picture })
    // @ts-expect-error an input is compulsory
    await finding.infer()
    // @ts-expect-error no such option
    handle(found, { version: 3 })
    // @ts-expect-error no such option of a call
    await finding.infer({ image }, { timeout: 1 })

    for await (const each of finding.inferAll([{ image }])) {
      const same: Equal<typeof each, typeof answer> = true
      void same
    }
    // @ts-expect-error not a list of inputs
    finding.inferAll([picture])

    for await (const word of await handle(words).infer('a b')) {
      const isText: Equal<typeof word, string> = true
      void isText
    }

    const given = await handle(routed).call({ params: { id: 1 }, query: { many: 2 }, input: { picture } })
    const isFile: Equal<typeof given, { picture: FileValue }> = true
    await handle(routed).call({ params: { id: 1 }, input: { picture } })
    // @ts-expect-error path parameters are compulsory
    await handle(routed).call({ input: { picture } })
    // @ts-expect-error a path parameter of another type
    await handle(routed).call({ params: { id: 'one' }, input: { picture } })
    // @ts-expect-error a query of another type
    await handle(routed).call({ params: { id: 1 }, query: { many: 'two' }, input: { picture } })
    // @ts-expect-error the input is compulsory
    await handle(routed).call({ params: { id: 1 } })

    const said: 'idle' = await handle(idle).call({})
    // @ts-expect-error not a function of ours
    handle({ answer: () => 1 })
    void [boxes, mask, isFile]
    return said
  },
})

// A batch mixes callers, so that each of its requests has its own; the batch has none.
defineInference({
  input: Type.String(),
  model: multiplexed(() => null),
  batch: { maxSize: 2, maxDelayMs: 0 },
  async infer(inputs, context) {
    // @ts-expect-error a batch opens no handles
    void context.handle
    const [request] = context.requests
    if (request) await request.handle(words).infer('a')
    return inputs
  },
})

defineAction({
  async execute({ handle }) {
    const handleOfWords: FunctionHandle<string, AsyncGenerator<string>> = handle(words)
    // @ts-expect-error no text
    await handleOfWords.infer(1)
  },
})
