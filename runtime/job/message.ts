import type { JobFileFacts } from '../define/action-context.ts'
import type { ModelInfo } from '../define/context.ts'
import type {
  DeployableBuild,
  DeploymentFacts,
  ServeApplication,
  ServeApplicationId,
} from '../define/deployment-facts.ts'
import type { StepRecord } from '../define/step.ts'
import type { WireError } from '../error/wire.ts'
import type { RequestHead } from '../runner/head.ts'
import type { JobMetrics } from './job.ts'
import type { FileToKeep, JobEnd, JobReport, PendingEnd, RunningStep } from './store.ts'

/** All that the process of an action needs to run one job, or to go on with it. Plain JSON. */
export interface ActionOrder {
  readonly jobId: string
  readonly attempt: number
  readonly principal: string
  /** The action's name, and the absolute path of its bundle. */
  readonly function: string
  readonly bundlePath: string
  readonly head: RequestHead
  /** A file with the body's bytes. */
  readonly inputPath: string
  /** A folder of this attempt alone. */
  readonly workDirectory: string
  /** The model that the submitter's token names; `null` without a token. */
  readonly modelId: string | null
  readonly steps: readonly StepRecord[]
  readonly rolledBack: readonly string[]
  readonly fields: unknown
  readonly runningStep: RunningStep | null
  readonly checkpoint: unknown
  readonly pendingEnd: PendingEnd | null
  /** How far the job had come, so that its progress never falls. */
  readonly overall: number
  /** The metrics that the job has reported so far; what its process reports are all of them. */
  readonly metrics: JobMetrics
  /** What sessions use where the action does not say. */
  readonly session: {
    readonly provider: string
    readonly fallback: string | null
    readonly intraOpThreads: number
  }
  readonly inputHosts: readonly string[]
  /** What the result and the files may come to, in bytes. */
  readonly maxJobBytes: number
  /** Whether mistakes are errors that are shown whole, as while developing. */
  readonly strict: boolean
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
}

/** What the process of an action may ask of whoever started it. Over plain JSON; what fails throws its error. */
export interface ActionHost {
  /** A model's metadata. */
  describeModel(modelId: string): Promise<Readonly<Record<string, unknown>>>
  /** A model's metadata with its files on this machine; they stay until the process ends. */
  prepareModel(modelId: string): Promise<ModelInfo>
  /** What the plugin is and where it is deployed, for a deployment action. */
  describeDeployment(): Promise<DeploymentFacts>
  /** Builds the plugin for a cluster. */
  prepareBundle(): Promise<DeployableBuild>
  /** Registers a deployed application in the name of the submitter; `null` where there is no backend for that. */
  registerApplication(application: ServeApplication): Promise<ServeApplicationId | null>
  beginStep(name: string): Promise<RunningStep>
  recordStep(record: StepRecord, fields: unknown, next: string | null): Promise<void>
  saveCheckpoint(value: unknown): Promise<void>
  beginRollback(end: PendingEnd): Promise<void>
  recordRollback(step: string, error: string | null): Promise<void>
  keepFile(file: FileToKeep): Promise<void>
  listFiles(): Promise<readonly JobFileFacts[]>
  /** Writes a kept file to a path of this machine. */
  fetchFile(name: string, path: string): Promise<void>
  report(report: JobReport): Promise<void>
  finish(end: JobEnd): Promise<void>
}

/** The names of the questions. */
export type ActionQuestion = keyof ActionHost

/** What the process of an action is told over IPC. */
export type ActionCommand =
  | { readonly kind: 'run'; readonly order: ActionOrder }
  /** The job is to end: it was cancelled, or its time is over. */
  | { readonly kind: 'cancel'; readonly reason: WireError }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'refuse'; readonly id: number; readonly error: WireError }

/** What the process of an action says over IPC. */
export type ActionReport =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'ask'
      readonly id: number
      readonly question: ActionQuestion
      readonly parameters: readonly unknown[]
    }
