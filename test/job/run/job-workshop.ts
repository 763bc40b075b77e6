import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createOnnxNodeEngine } from '../../../adapters/onnx-node/engine.ts'
import type { Definition } from '../../../runtime/define/definition.ts'
import type { ActionOrder } from '../../../runtime/job/message.ts'
import { runJob } from '../../../runtime/job/run/job-run.ts'
import { createLogger } from '../../../runtime/observe/log.ts'
import { addConstantModel } from '../../support/onnx-models.ts'
import { actionOrder } from './action-order.ts'
import { MemoryHost } from './memory-host.ts'

/** What a test says of a job; the rest is as {@link actionOrder} has it. */
export type JobOrder = Partial<ActionOrder> & { readonly params?: unknown }

/** Where jobs run in the process of the test. There is one model, `five`, which adds 5 to float32 `x`. */
export class JobWorkshop implements AsyncDisposable {
  readonly directory: string
  /** The folder of the model. */
  readonly model: string
  readonly host: MemoryHost
  /** What was logged. */
  readonly lines: string[] = []
  /** Ends the job that runs. */
  ending = new AbortController()
  /** What is thrown where nobody listens. */
  readonly mishap = Promise.withResolvers<never>()

  private constructor(directory: string, model: string) {
    this.directory = directory
    this.model = model
    this.host = new MemoryHost({ five: model })
    this.mishap.promise.catch(() => undefined)
  }

  static async make(): Promise<JobWorkshop> {
    const directory = await mkdtemp(join(tmpdir(), 'isoplex-job-'))
    const model = join(directory, 'five')
    await mkdir(model)
    await writeFile(join(model, 'model.onnx'), addConstantModel(5))
    return new JobWorkshop(directory, model)
  }

  /** Runs a job to its end. A fetched input is the URL itself. */
  async run(definition: Definition, { params = {}, ...changed }: JobOrder = {}): Promise<void> {
    await runJob({
      order: { ...(await actionOrder(this.directory, params)), ...changed },
      load: async () => definition,
      host: this.host,
      engine: createOnnxNodeEngine(),
      fetchInput: async (url) => ({ bytes: new TextEncoder().encode(url), mediaType: 'text/plain', url }),
      log: createLogger({ write: (line) => this.lines.push(line) }),
      signal: this.ending.signal,
      mishap: this.mishap.promise,
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true })
  }
}
