/** What an adapter implements and its author needs: published as `isoplex/engine`. */
export type { Engine, Provider, Session, SessionOptions, TensorFacts, Tensors } from './engine.ts'
export type { NestedElements, TensorArrays, TensorElement, TensorType } from './tensor.ts'
export { assertTensorFits, elementCount, formatShape, Tensor, tensor, tensorTypes } from './tensor.ts'
