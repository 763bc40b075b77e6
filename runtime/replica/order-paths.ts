import type { ModelInfo } from '../define/context.ts'
import type { RunnerOrder } from './message.ts'

/** What stands for the paths that an order names, on another machine. */
export interface OrderPaths {
  /** Of a file with code. */
  bundle(path: string): Promise<string>
  /** Of the folder of an unpacked model. */
  model(path: string): Promise<string>
}

/** Makes the same order of another machine's paths: of everything in it that lies on a disk. */
export async function withPaths(order: RunnerOrder, paths: OrderPaths): Promise<RunnerOrder> {
  const placed = async (model: ModelInfo): Promise<ModelInfo> => {
    // The model of a graph is those of its parts, and lies nowhere itself.
    return model.path === '' ? model : { ...model, path: await paths.model(model.path) }
  }
  const { bundlePath, model, parts } = order
  return {
    ...order,
    bundlePath: await paths.bundle(bundlePath),
    model: model && (await placed(model)),
    parts: await Promise.all(parts.map(async (part) => ({ ...part, model: await placed(part.model) }))),
  }
}
