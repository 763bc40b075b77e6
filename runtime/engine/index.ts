/** What an adapter implements and its author needs: published as `isoplex/engine`. */
export type { DeviceTensor } from './device-tensor.ts'
export { holdTensor, isDeviceTensor } from './device-tensor.ts'
export type {
  Answers,
  Engine,
  Feeds,
  Provider,
  Session,
  SessionOptions,
  TensorFacts,
  Tensors,
} from './engine.ts'
export type { MachineFacts } from './machine-facts.ts'
export type { ProviderChoice, ProviderState, ProviderWish } from './provider.ts'
export { explainProviders, providers, selectProvider } from './provider.ts'
export type { NestedElements, Shape, TensorArrays, TensorElement, TensorType } from './tensor.ts'
export {
  assertTensorFits,
  elementCount,
  formatShape,
  isTensor,
  Tensor,
  tensor,
  tensorTypes,
} from './tensor.ts'
