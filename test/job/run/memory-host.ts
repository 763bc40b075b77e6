import { readFile } from 'node:fs/promises'
import type { JobFileFacts } from '../../../runtime/define/action-context.ts'
import type { ModelInfo } from '../../../runtime/define/context.ts'
import type { StepRecord } from '../../../runtime/define/step.ts'
import { IsoplexError } from '../../../runtime/error/error.ts'
import type { NewJobEvent } from '../../../runtime/job/event.ts'
import type { ActionHost } from '../../../runtime/job/message.ts'
import type { JobEnd, JobReport, PendingEnd } from '../../../runtime/job/store.ts'
import { noDeploymentHost } from '../no-deployments.ts'

/** A host that keeps in memory what it is told of one job. */
export class MemoryHost implements ActionHost {
  readonly #models: Readonly<Record<string, string>>
  /** What is asked of it, in its order. */
  readonly asked: string[] = []
  readonly records: StepRecord[] = []
  readonly rolledBack: string[] = []
  readonly checkpoints: unknown[] = []
  readonly reports: JobReport[] = []
  readonly files = new Map<string, { readonly mediaType: string; readonly bytes: Uint8Array<ArrayBuffer> }>()
  pendingEnd: PendingEnd | null = null
  end: JobEnd | null = null
  /** The result's bytes as text. */
  result: string | null = null

  /** `models` are folders by the ids of their models. */
  constructor(models: Readonly<Record<string, string>> = {}) {
    this.#models = models
    // As a host is: its methods may be taken apart.
    for (const name of hostMethods)
      Object.defineProperty(this, name, { value: this[name].bind(this), enumerable: true, writable: true })
  }

  /** All events that were reported, in their order. */
  get events(): readonly NewJobEvent[] {
    return this.reports.flatMap(({ events }) => events)
  }

  describeDeployment: ActionHost['describeDeployment'] = noDeploymentHost.describeDeployment
  prepareBundle: ActionHost['prepareBundle'] = noDeploymentHost.prepareBundle
  registerApplication: ActionHost['registerApplication'] = noDeploymentHost.registerApplication

  async describeModel(modelId: string): Promise<Readonly<Record<string, unknown>>> {
    this.asked.push(`describe ${modelId}`)
    this.#pathOf(modelId)
    return { id: modelId, note: 'as the backend says' }
  }

  async prepareModel(modelId: string): Promise<ModelInfo> {
    this.asked.push(`prepare ${modelId}`)
    return { id: modelId, version: '1', path: this.#pathOf(modelId) }
  }

  async beginStep(name: string): Promise<{ name: string; attempt: number }> {
    this.asked.push(`begin ${name}`)
    return { name, attempt: 1 }
  }

  async recordStep(record: StepRecord): Promise<void> {
    this.records.push(record)
  }

  async saveCheckpoint(value: unknown): Promise<void> {
    this.checkpoints.push(value)
  }

  async beginRollback(end: PendingEnd): Promise<void> {
    this.pendingEnd = end
  }

  async recordRollback(step: string, error: string | null): Promise<void> {
    this.rolledBack.push(error === null ? step : `${step}: ${error}`)
  }

  async keepFile({ name, mediaType, path }: Parameters<ActionHost['keepFile']>[0]): Promise<void> {
    this.files.set(name, { mediaType, bytes: new Uint8Array(await readFile(path)) })
  }

  async listFiles(): Promise<readonly JobFileFacts[]> {
    return [...this.files].map(([name, { mediaType, bytes }]) => ({ name, mediaType, bytes: bytes.length }))
  }

  async fetchFile(name: string, path: string): Promise<void> {
    await Bun.write(path, this.files.get(name)?.bytes ?? '')
  }

  async report(report: JobReport): Promise<void> {
    this.reports.push(report)
  }

  async finish(end: JobEnd): Promise<void> {
    this.end = end
    this.result = end.result === null ? null : await readFile(end.result.path, 'utf8')
  }

  #pathOf(modelId: string): string {
    const path = this.#models[modelId]
    if (path !== undefined) return path
    throw new IsoplexError('MODEL_NOT_FOUND', `There is no model "${modelId}".`, {
      details: { model: modelId },
    })
  }
}

const hostMethods = [
  'describeModel',
  'prepareModel',
  'beginStep',
  'recordStep',
  'saveCheckpoint',
  'beginRollback',
  'recordRollback',
  'keepFile',
  'listFiles',
  'fetchFile',
  'report',
  'finish',
] as const
