import { Type } from '@sinclair/typebox'
import {
  defineFunction,
  type FileValue,
  file,
  type RawRequest,
  type Tensor,
  tensor,
  tensorOf,
} from '../../runtime/index.ts'
import { assertType, type Equal } from './equality.ts'

// The schemas are the single source: nobody should have to write the same types again beside them.
defineFunction({
  params: Type.Object({ name: Type.String() }),
  query: Type.Object({ loud: Type.Optional(Type.Boolean()) }),
  input: Type.Object({ words: Type.Array(Type.String()) }),
  handler(context) {
    assertType<Equal<typeof context.params, { name: string }>>()
    assertType<Equal<typeof context.query, { loud?: boolean }>>()
    assertType<Equal<typeof context.input, { words: string[] }>>()
    assertType<Equal<typeof context.request, RawRequest>>()
    assertType<Equal<typeof context.signal, AbortSignal>>()
    assertType<Equal<typeof context.requestId, string>>()
    assertType<Equal<typeof context.principal, string>>()
  },
})

// Without schemas there is nothing to read: `undefined` says so where `any` would let everything pass.
defineFunction({
  handler(context) {
    assertType<Equal<typeof context.params, undefined>>()
    assertType<Equal<typeof context.query, undefined>>()
    assertType<Equal<typeof context.input, undefined>>()
    assertType<Equal<typeof context.state, undefined>>()
  },
})

defineFunction({
  params: Type.Object({ name: Type.String() }),
  // @ts-expect-error a parameter that the schema does not name never arrives
  handler: ({ params }) => params.nam,
})

defineFunction({
  input: Type.Object({ count: Type.Integer() }),
  // @ts-expect-error the input is as the schema says, so a number is not taken for a text
  handler: ({ input }) => input.count.toUpperCase(),
})

defineFunction({
  handler(context) {
    // @ts-expect-error the context is shared with the runner and is not to be written to
    context.requestId = 'mine'
    // @ts-expect-error an edge function has no model
    context.model
  },
})

// `setup` alone says what the state is; `handler` and `teardown` get it.
defineFunction({
  setup: async ({ name }) => ({ name, opened: new Map<string, number>() }),
  handler({ state }) {
    assertType<Equal<typeof state, { name: string; opened: Map<string, number> }>>()
  },
  teardown(state) {
    assertType<Equal<typeof state, { name: string; opened: Map<string, number> }>>()
    state.opened.clear()
  },
})

defineFunction({
  setup: () => ({ count: 0 }),
  // @ts-expect-error the state has what `setup` returned and nothing else
  handler: ({ state }) => state.total,
})

defineFunction({
  setup: () => ({ count: 0 }),
  // @ts-expect-error `teardown` must take the state that `setup` makes
  teardown: (state: { total: string }) => void state,
  handler: () => null,
})

// With an output schema a handler may return the value, a stream of such values, or a response of its own.
const Count = Type.Object({ count: Type.Integer() })
defineFunction({ output: Count, handler: () => ({ count: 1 }) })
defineFunction({ output: Count, handler: async () => ({ count: 1 }) })
defineFunction({ output: Count, handler: () => new Response('1') })
defineFunction({
  output: Count,
  async *handler() {
    yield { count: 1 }
  },
})

defineFunction({
  output: Count,
  // @ts-expect-error what the output schema refuses at run time is refused here first
  handler: () => ({ count: 'one' }),
})

defineFunction({
  output: Count,
  // @ts-expect-error each item of a stream has to fit the output schema too
  async *handler() {
    yield { total: 1 }
  },
})

defineFunction({
  output: Count,
  // @ts-expect-error a function with an output schema must not return nothing
  handler: () => undefined,
})

// Without an output schema the result is not checked, so every value is taken.
defineFunction({ handler: () => undefined })
defineFunction({ handler: () => [1, 'two', null] })

// A file or tensor reads as its value, at the top and anywhere within.
defineFunction({
  input: Type.Object({ picture: file(), mask: Type.Optional(tensorOf('uint8', [null, null])) }),
  handler({ input }) {
    assertType<Equal<typeof input, { mask?: Tensor<'uint8'>; picture: FileValue }>>()
  },
})
defineFunction({
  input: tensorOf('int64', ['n']),
  handler({ input }) {
    assertType<Equal<typeof input, Tensor<'int64'>>>()
    assertType<Equal<ReturnType<typeof input.at>, bigint>>()
  },
})
defineFunction({
  output: tensorOf('float32', [1]),
  handler: () => tensor('float32', Float32Array.of(1), [1]),
})
defineFunction({
  output: tensorOf('float32', [1]),
  // @ts-expect-error a tensor of other elements is other bytes on the wire
  handler: () => tensor('float64', Float64Array.of(1), [1]),
})

// @ts-expect-error a function without a handler answers nothing
defineFunction({ description: 'Nothing.' })

// @ts-expect-error the methods are a closed list, in capitals
defineFunction({ method: 'get', handler: () => null })

// @ts-expect-error a misspelt access would leave it to chance who may call
defineFunction({ access: 'Public', handler: () => null })

// @ts-expect-error a place that isoplex does not run in
defineFunction({ runs: ['edge'], handler: () => null })

// @ts-expect-error an option that does not exist would be passed over in silence
defineFunction({ timeout: 1000, handler: () => null })

// @ts-expect-error a single value has no names for parameters
defineFunction({ params: Type.String(), handler: () => null })

// @ts-expect-error an edge function has no model to infer with
defineFunction({ model: {}, handler: () => null })

// What a client is to be typed by: it reads these four from the function.
const described = defineFunction({
  params: Type.Object({ id: Type.Integer() }),
  query: Type.Object({ q: Type.String() }),
  input: Type.Object({ text: Type.String() }),
  handler: () => ({ done: true }),
})
type Types = NonNullable<(typeof described)['types']>
assertType<Equal<Types['params'], { id: number }>>()
assertType<Equal<Types['query'], { q: string }>>()
assertType<Equal<Types['input'], { text: string }>>()
assertType<Equal<Types['output'], { done: boolean }>>()

// @ts-expect-error a definition is shared between runners and is not to be changed
described.methods = ['GET']
