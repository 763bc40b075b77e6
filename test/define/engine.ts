import type {
  Answers,
  Engine,
  Session,
  SessionOptions,
  TensorFacts,
  Tensors,
} from '../../runtime/engine/engine.ts'

/** A model of plain code: what it takes and gives, and how it computes. */
export interface PlainModel {
  readonly inputs: readonly TensorFacts[]
  readonly outputs: readonly TensorFacts[]
  compute(feeds: Tensors): Tensors
}

/** An engine whose models are plain code, by the path of their file; it tells what it was asked for. */
export interface PlainEngine extends Engine {
  readonly loaded: readonly {
    readonly location: string
    readonly options: SessionOptions<string> | undefined
  }[]
  /** How often each session was disposed of, in the order of loading. */
  readonly disposals: readonly number[]
}

/** Makes an engine of plain code. */
export function createPlainEngine(models: Readonly<Record<string, PlainModel>>): PlainEngine {
  const loaded: { location: string; options: SessionOptions<string> | undefined }[] = []
  const disposals: number[] = []
  return {
    name: 'plain',
    loaded,
    disposals,
    async load<DeviceName extends string>(location: string, options?: SessionOptions<DeviceName>) {
      const model = models[location]
      if (!model) throw new Error(`No model at ${location}.`)
      const number = loaded.push({ location, options }) - 1
      disposals.push(0)
      const session: Session<DeviceName> = {
        inputs: model.inputs,
        outputs: model.outputs,
        provider: 'cpu',
        run: async (feeds) => model.compute(feeds as Tensors) as Answers<DeviceName>,
        async dispose() {
          disposals[number] = (disposals[number] ?? 0) + 1
        },
      }
      return session
    },
  }
}
