import { Type } from '@sinclair/typebox'
import {
  createStepRegistry,
  defineAction,
  defineInference,
  defineStep,
  type JsonRecord,
  modelId,
  multiplexed,
  type StepContext,
  type StepRecord,
} from '../../runtime/index.ts'
import { assertType, type Equal } from './equality.ts'

const Params = Type.Object({ modelId: modelId(), count: Type.Integer() })
const Mean = Type.Object({ mean: Type.Number() })
interface Given {
  readonly modelId: string
  readonly count: number
}

// The schema of the parameters types the context, and the schema of the result what is returned.
const mean = defineAction({
  params: Params,
  result: Mean,
  async execute(context) {
    assertType<Equal<typeof context.params, { modelId: string; count: number }>>()
    assertType<Equal<typeof context.signal, AbortSignal>>()
    return { mean: context.params.count }
  },
})
assertType<Equal<NonNullable<typeof mean.types>['input'], { modelId: string; count: number }>>()
assertType<Equal<NonNullable<typeof mean.types>['output'], { mean: number }>>()

defineAction({
  result: Mean,
  // @ts-expect-error the result has a number
  execute: async () => ({ mean: 'high' }),
})

// Many results are a stream, of which each is held to the schema.
defineAction({
  result: Mean,
  async *execute() {
    yield { mean: 1 }
  },
})
defineAction({
  result: Mean,
  // @ts-expect-error each item has a number
  async *execute() {
    yield { mean: 'high' }
  },
})

// Without schemas there are no parameters, and the result may be anything.
defineAction({
  execute(context) {
    assertType<Equal<typeof context.params, undefined>>()
    return 5
  },
})

// What `infer` of the action takes and gives types that of the context.
defineAction({
  params: Params,
  infer(inputs: readonly string[], context) {
    assertType<Equal<typeof context.params, { modelId: string; count: number }>>()
    return inputs.map((text) => text.length)
  },
  async execute({ infer }) {
    const lengths = infer(['a'])
    assertType<Equal<typeof lengths, AsyncIterable<number>>>()
    // @ts-expect-error the action infers texts
    infer([5])
    return lengths
  },
})

// A handle answers in its place, with the types of the function that it calls.
const digits = defineInference({
  input: Type.Object({ pixels: Type.Array(Type.Number()) }),
  output: Type.Object({ digit: Type.Integer() }),
  model: multiplexed(async () => 1),
  infer: () => ({ digit: 1 }),
})
defineAction({
  infer: (inputs: readonly string[]) => inputs.map((text) => text.length),
  async execute({ handle, infer }) {
    const reader = handle(digits, { model: 'digits' })
    assertType<Equal<Awaited<ReturnType<typeof reader.infer>>, { digit: number }>>()
    // @ts-expect-error the function takes numbers
    await reader.infer({ pixels: 'black' })
    const read = infer([{ pixels: [1] }], { handle: reader, total: 1 })
    assertType<Equal<typeof read, AsyncIterable<{ digit: number }>>>()
    // @ts-expect-error the function takes pixels
    infer(['a'], { handle: reader })
  },
})

// An action without an `infer` of its own has the handle's types as well.
defineAction({
  async execute({ handle, infer }) {
    const read = infer([{ pixels: [1] }], { handle: handle(digits) })
    assertType<Equal<typeof read, AsyncIterable<{ digit: number }>>>()
  },
})

// The steps of an action infer by the action's own.
defineAction({
  infer: (inputs: readonly string[]) => inputs.map((text) => text.length),
  steps: [
    {
      name: 'infer',
      weight: 1,
      async execute({ infer, results }) {
        for await (const length of infer(['a'])) {
          assertType<Equal<typeof length, number>>()
          results.push(length)
        }
        // @ts-expect-error the action infers texts
        infer([5])
      },
    },
  ],
})

// Steps written in place know the parameters, and share fields.
defineAction({
  params: Params,
  result: Mean,
  steps: [
    defineStep({
      name: 'fetch',
      async execute(context: StepContext<Given>) {
        assertType<Equal<typeof context.params.count, number>>()
        assertType<Equal<typeof context.results, unknown[]>>()
        assertType<Equal<typeof context.modelId, string | null>>()
        context.processedCount += context.params.count
        return { data: { sum: 1 } }
      },
      rollback(_, result) {
        assertType<Equal<typeof result.rollbackData, JsonRecord>>()
      },
    }),
    {
      name: 'mean',
      weight: 2,
      canSkip: ({ params }) => params.count === 0,
      execute(context) {
        assertType<Equal<typeof context.params, { modelId: string; count: number }>>()
        assertType<Equal<typeof context.step.attempt, number>>()
      },
    },
  ],
  conclude(context) {
    assertType<Equal<typeof context.stepResults, readonly StepRecord[]>>()
    assertType<Equal<typeof context.params, { modelId: string; count: number }>>()
    return { mean: context.processedCount }
  },
})

defineAction({
  params: Params,
  result: Mean,
  steps: [{ name: 'a', weight: 1, execute() {} }],
  // @ts-expect-error the result has a number
  conclude: () => ({ mean: 'high' }),
})

// A step that asks for no parameters fits any action, and one that asks for others does not.
const shared = defineStep({ name: 'shared', execute: ({ log }) => log('here') })
const other = defineStep({
  name: 'other',
  execute: ({ params }: StepContext<{ url: string }>) => void params.url,
})
defineAction({ params: Params, steps: [shared] })
defineAction({ steps: createStepRegistry([shared]) })
// @ts-expect-error the action has no such parameter
defineAction({ params: Params, steps: [other] })
// @ts-expect-error nor has it through a registry
defineAction({ params: Params, steps: createStepRegistry([other]) })

const registry = createStepRegistry<Given>()
registry.register(shared).insertAfter('shared', defineStep({ name: 'last', execute() {} }))
// @ts-expect-error the steps of the registry get other parameters
registry.register(other)
defineAction({ params: Params, steps: registry })

// @ts-expect-error a step returns an outcome, or nothing
defineStep({ name: 'a', execute: () => 5 })
// @ts-expect-error what a step leaves stands under `data`
defineStep({ name: 'a', execute: () => ({ count: 5 }) })

// @ts-expect-error one function, or steps: not both
defineAction({ steps: [shared], execute() {} })
// @ts-expect-error one of them there must be
defineAction({ params: Params })
// @ts-expect-error only steps are concluded
defineAction({ execute() {}, conclude: () => 1 })

defineAction({
  // @ts-expect-error an action runs on the server
  runs: ['browser'],
  execute() {},
})
