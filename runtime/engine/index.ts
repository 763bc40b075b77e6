/** What an adapter implements and its author needs: published as `isoplex/engine`. */
export type { Engine, Provider, Session, SessionOptions, TensorFacts, Tensors } from './engine.ts'
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
