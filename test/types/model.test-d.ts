import { Type } from '@sinclair/typebox'
import {
  type DeviceTensor,
  defineInference,
  type Engine,
  type ModelInfo,
  type ModelLoader,
  multiplexed,
  type OnnxModel,
  onnx,
  type Session,
  type Tensor,
  tensor,
} from '../../runtime/index.ts'
import { assertType, type Equal } from './equality.ts'

const input = Type.Object({ text: Type.String() })
const x = tensor('float32', Float32Array.of(1), [1])

// With names given, a function knows what it may feed and read, and each output is there.
const named = onnx({ inputs: ['ids', 'mask'], outputs: ['logits'] })
assertType<Equal<typeof named, ModelLoader<OnnxModel<'ids' | 'mask', 'logits'>>>>()
defineInference({
  input,
  model: named,
  async infer(_, { model }) {
    const answers = await model.run({ ids: x, mask: x })
    assertType<Equal<typeof answers, { readonly logits: Tensor }>>()
    // @ts-expect-error a misspelt output would be undefined in every request
    return answers.logit
  },
})

defineInference({
  input,
  model: named,
  // @ts-expect-error an input that is left out would fail every request
  infer: (_, { model }) => model.run({ ids: x }),
})

defineInference({
  input,
  model: named,
  // @ts-expect-error an input that the model does not have would fail every request
  infer: (_, { model }) => model.run({ ids: x, mask: x, tokens: x }),
})

defineInference({
  input,
  model: named,
  // @ts-expect-error plain numbers are not a tensor: their type and shape would be a guess
  infer: (_, { model }) => model.run({ ids: [1], mask: x }),
})

// Without names any may be fed, and an output may be missing: the model is known at load only.
const unnamed = onnx({ default: 'digits' })
assertType<Equal<typeof unnamed, ModelLoader<OnnxModel<string, string>>>>()
defineInference({
  input,
  model: unnamed,
  async infer(_, { model }) {
    const answers = await model.run({ anything: x })
    const { scores } = answers
    assertType<Equal<typeof scores, Tensor | undefined>>()
    return scores?.toArray()
  },
})

// Only the inputs named: the outputs stay open, not empty.
const half = onnx({ inputs: ['x'] })
assertType<Equal<typeof half, ModelLoader<OnnxModel<'x', string>>>>()

// What stays on the device is a device tensor, and may be fed as it is.
const recurrent = onnx({ inputs: ['x', 'state'], outputs: ['y', 'next'], deviceOutputs: ['next'] })
assertType<Equal<typeof recurrent, ModelLoader<OnnxModel<'x' | 'state', 'y' | 'next', 'next'>>>>()
defineInference({
  input,
  model: recurrent,
  async infer(_, { model }) {
    const { y, next } = await model.run({ x, state: x })
    assertType<Equal<typeof y, Tensor>>()
    const kept: DeviceTensor = next
    return (await model.run({ x, state: kept })).y
  },
})

// Without names of all outputs, only those that were asked for are known to stay on the device.
multiplexed(async ({ path }, engine) => {
  const { next, y } = await (await engine.load(path, { deviceOutputs: ['next'] })).run({ x })
  const kept: DeviceTensor = next
  assertType<Equal<typeof y, Tensor | DeviceTensor | undefined>>()
  return kept
})

// @ts-expect-error a provider that no engine has
onnx({ provider: 'tpu' })

// @ts-expect-error a misspelt option would be passed over in silence
onnx({ threads: 2 })

// @ts-expect-error `auto` is a wish, not a provider to fall back on
onnx({ fallback: 'auto' })

// The loader alone says what the model is; `unload` gets the same.
const custom = multiplexed(
  async (info, engine) => {
    assertType<Equal<typeof info, ModelInfo>>()
    assertType<Equal<typeof engine, Engine>>()
    return { encoder: await engine.load(`${info.path}/encoder.onnx`) }
  },
  {
    unload(model) {
      assertType<Equal<typeof model, { encoder: Session }>>()
      return model.encoder.dispose()
    },
  },
)
assertType<Equal<typeof custom, ModelLoader<{ encoder: Session }>>>()

// @ts-expect-error the loader must make what `unload` takes
multiplexed(() => ({ sessions: 1 }), { unload: (model: { session: string }) => void model })

multiplexed(() => ({}), {
  // @ts-expect-error a limit is a number of models
  maxModelsPerReplica: '3',
})

defineInference({
  input,
  model: custom,
  // @ts-expect-error the model is what the loader returned and nothing else
  infer: (_, { model }) => model.decoder,
})

// What the backend says beyond id, version and path is unknown until it is looked at.
multiplexed(({ id, version, path, ...rest }) => {
  assertType<Equal<typeof id | typeof version | typeof path, string>>()
  assertType<Equal<(typeof rest)[string], unknown>>()
  return null
})
