import { type Static, Type } from '@sinclair/typebox'
import {
  bind,
  defineAction,
  defineFunction,
  defineGraph,
  defineInference,
  derive,
  type Edge,
  each,
  type FileValue,
  file,
  handle,
  input,
  multiplexed,
  type Tensor,
  tensorOf,
  when,
} from '../../runtime/index.ts'
import { assertType, type Equal } from './equality.ts'

const Box = Type.Object({ left: Type.Number(), top: Type.Number() })
const model = multiplexed(async () => ({ run: () => 0 }))

const detect = defineInference({
  input: Type.Object({ picture: file(), threshold: Type.Optional(Type.Number()) }),
  output: Type.Object({ boxes: Type.Array(Box), crops: Type.Array(file()), angle: Type.Number() }),
  model,
  infer: async () => ({ boxes: [{ left: 0, top: 0 }], crops: [] as FileValue[], angle: 0 }),
})
const read = defineInference({
  input: file(),
  output: Type.String(),
  batch: { maxSize: 8, maxDelayMs: 1 },
  model,
  infer: async (crops) => crops.map(() => 'text'),
})
const score = defineFunction({
  input: Type.Object({ text: Type.String(), language: Type.Optional(Type.String()) }),
  output: Type.Number(),
  handler: ({ input: { text } }) => text.length,
})
const turn = defineFunction({ input: file(), output: file(), handler: ({ input: picture }) => picture })
const embed = defineFunction({
  input: file(),
  output: tensorOf('float32', ['batch', 4]),
  handler: () => null as unknown as Tensor<'float32'>,
})
const rank = defineFunction({
  input: Type.Object({ vectors: tensorOf('float32', ['batch', 4]) }),
  output: Type.Object({ best: Type.Integer() }),
  handler: () => ({ best: 0 }),
})

const Page = Type.Object({
  picture: file(),
  language: Type.Optional(Type.String()),
})
const page = input(Page)
assertType<Equal<typeof page.picture, Edge<FileValue>>>()

// An edge carries what the function answers, and its properties carry theirs.
const found = bind(detect, { picture: page.picture })
const { crops } = found
assertType<Equal<typeof found.boxes, Edge<Static<typeof Box>[]>>>()
assertType<Equal<typeof found.boxes.length, Edge<number>>>()
assertType<Equal<typeof found.angle, Edge<number>>>()
// @ts-expect-error the detector answers no such thing
found.lines

// One edge, an object of edges, and constants among them.
bind(turn, page.picture)
bind(detect, { picture: page.picture, threshold: 0.3 })
bind(detect, page)
bind(score, { text: 'constant' })
// @ts-expect-error a number is no picture
bind(detect, { picture: found.angle })
// @ts-expect-error there is no picture
bind(detect, { threshold: 0.3 })
// @ts-expect-error there is no such property
bind(detect, { picture: page.picture, treshold: 0.3 })
// @ts-expect-error a constant of another type
bind(detect, { picture: page.picture, threshold: 'high' })
// @ts-expect-error boxes are no picture
bind(turn, found.boxes)
// @ts-expect-error the input has no such property
bind(turn, page.image)

// What may be left out may come from what may be left out, and from nothing else.
bind(score, { text: 'a', language: page.language })
// @ts-expect-error the text may not be left out
bind(score, { text: page.language })

// Fan-out gives an array of what the function answers to one.
const lines = bind(read, each(crops))
assertType<Equal<typeof lines, Edge<string[]>>>()
const scores = bind(
  score,
  each(lines, (line) => ({ text: line, language: page.language })),
)
assertType<Equal<typeof scores, Edge<number[]>>>()
// @ts-expect-error the function reads one picture, not many
bind(read, crops)
// @ts-expect-error boxes are no pictures
bind(read, each(found.boxes))
// @ts-expect-error an angle is no array
each(found.angle)
bind(
  score,
  // @ts-expect-error the item's input lacks the text
  each(lines, (line) => ({ language: line })),
)

// Tensors are values as others are.
const vectors = bind(embed, page.picture)
const best = bind(rank, { vectors })
assertType<Equal<typeof best.best, Edge<number>>>()
// @ts-expect-error a file is no tensor
bind(rank, { vectors: page.picture })

// Code of the graph's own gets the values, in the shape in which the edges are given.
const isTurned = derive(found.angle, (angle) => {
  assertType<Equal<typeof angle, number>>()
  return Math.abs(angle) > 45
})
assertType<Equal<typeof isTurned, Edge<boolean>>>()
const joined = derive({ lines, all: found, by: 'line' }, ({ lines: texts, all, by }) => {
  assertType<Equal<typeof texts, string[]>>()
  assertType<Equal<typeof by, 'line'>>()
  return { text: texts.join(by), count: all.boxes.length }
})
assertType<Equal<typeof joined, Edge<{ text: string; count: number }>>>()
const later = derive([found.angle, page.language], async ([angle, language]) => `${angle} ${language}`)
assertType<Equal<typeof later, Edge<string>>>()

// A condition takes one of two branches; without the other there may be nothing.
const upright = when(
  isTurned,
  () => bind(turn, page.picture),
  () => page.picture,
)
assertType<Equal<typeof upright, Edge<FileValue>>>()
const maybe = when(isTurned, () => bind(turn, page.picture))
assertType<Equal<typeof maybe, Edge<FileValue | undefined>>>()
// @ts-expect-error it may be nothing
bind(turn, maybe)
// @ts-expect-error a condition is true or false
when(found.angle, () => lines)

// What answers in the place of a failure is of its own type.
const careful = bind(detect, { picture: page.picture }, { fallback: null, retries: 2 })
// @ts-expect-error it may be null
careful.boxes
const calm = bind(read, each(crops), { fallback: null })
assertType<Equal<typeof calm, Edge<(string | null)[]>>>()
const spare = bind(turn, page.picture, { fallback: page.picture })
assertType<Equal<typeof spare, Edge<FileValue>>>()

// A handle says which model answers, and has the function's types.
const latin = handle(read, { model: 'latin', deployment: 'readers' })
assertType<Equal<ReturnType<typeof oneLine>, Edge<string>>>()
function oneLine(): Edge<string> {
  return bind(latin, page.picture)
}
// @ts-expect-error it reads a picture
bind(latin, found.angle)
// @ts-expect-error there is no such option
handle(read, { modell: 'latin' })

// An action is a job, and a path parameter comes from a path.
const action = defineAction({ params: Type.Object({}), execute: async () => 1 })
// @ts-expect-error no action is a node
bind(action, {})
const byName = defineFunction({
  params: Type.Object({ name: Type.String() }),
  input: Type.String(),
  handler: () => 1,
})
// @ts-expect-error nothing gives it its parameter
bind(byName, 'a')

// A graph is a function, whose answer is held to its schema.
const ocr = defineGraph({
  input: page,
  output: Type.Object({ boxes: Type.Array(Box), lines: Type.Array(Type.String()) }),
  answer: { boxes: found.boxes, lines },
})
assertType<Equal<NonNullable<typeof ocr.types>['input'], Static<typeof Page>>>()
assertType<Equal<NonNullable<typeof ocr.types>['output'], { boxes: Static<typeof Box>[]; lines: string[] }>>()
defineGraph({
  input: page,
  output: Type.Object({ lines: Type.Array(Type.String()) }),
  // @ts-expect-error the lines are texts
  answer: { lines: found.boxes },
})
defineGraph({
  input: page,
  output: Type.Object({ lines: Type.Array(Type.String()) }),
  // @ts-expect-error there are no lines
  answer: {},
})
const nested = bind(ocr, page)
assertType<Equal<typeof nested.lines, Edge<string[]>>>()

// What streams may be what a graph answers.
const tell = defineFunction({
  input: Type.String(),
  output: Type.String(),
  async *handler() {
    yield 'a'
  },
})
defineGraph({ output: Type.String(), answer: bind(tell, 'constant') })
// @ts-expect-error a stream of texts is no text
bind(tell, bind(tell, 'constant'))
// @ts-expect-error its items are texts
defineGraph({ output: Type.Number(), answer: bind(tell, 'constant') })

// Without an input there is nothing to send, and a function that takes nothing is bound to nothing.
const now = defineFunction({ output: Type.Number(), handler: () => Date.now() })
const clock = defineGraph({ output: Type.Number(), answer: bind(now, undefined) })
assertType<Equal<NonNullable<typeof clock.types>['input'], undefined>>()
