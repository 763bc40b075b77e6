import type { RunnerOrder } from './message.ts'

/** The paths that an order names. */
export interface OrderPaths {
  /** A file. */
  bundle(path: string): Promise<string>
  /** The folder of an unpacked model. */
  model(path: string): Promise<string>
}

/** Makes the same order of another machine's paths. */
export async function withPaths(order: RunnerOrder, paths: OrderPaths): Promise<RunnerOrder> {
  const { bundlePath, model } = order
  return {
    ...order,
    bundlePath: await paths.bundle(bundlePath),
    model: model && { ...model, path: await paths.model(model.path) },
  }
}
