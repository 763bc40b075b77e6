/** onnxruntime-node as a module. */
export type Binding = typeof import('onnxruntime-node')

let loading: Promise<Binding> | undefined

/**
 * Loads onnxruntime-node at first need, and turns its log off for good: what it would say comes in exceptions.
 * A machine that it has no binary for can thus still load this adapter and be told so.
 *
 * @throws {Error} the loader's own, where there is no binary for this machine.
 */
export function loadBinding(): Promise<Binding> {
  loading ??= import('onnxruntime-node').then((binding) => {
    binding.env.logLevel = 'fatal'
    return binding
  })
  return loading
}
