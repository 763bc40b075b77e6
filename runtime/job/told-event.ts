import type { JobFileFacts, MessageLevel } from '../define/action-context.ts'
import type { JobEvent } from './event.ts'
import { type JobProgress, type JobState, jobStates } from './job.ts'

/** What an event tells, by its kind. */
export type ToldEvent =
  | { readonly kind: 'state'; readonly state: JobState; readonly attempt: number }
  | { readonly kind: 'step'; readonly step: string; readonly state: string }
  | { readonly kind: 'progress'; readonly progress: JobProgress }
  | {
      readonly kind: 'metrics'
      readonly category: string
      readonly values: Readonly<Record<string, unknown>>
    }
  | { readonly kind: 'log'; readonly event: string; readonly data: unknown }
  | { readonly kind: 'message'; readonly level: MessageLevel; readonly message: string }
  | { readonly kind: 'file'; readonly file: JobFileFacts }
  | { readonly kind: 'dropped'; readonly count: number }

const levels: readonly string[] = ['info', 'warning', 'danger', 'success'] satisfies MessageLevel[]

/**
 * Reads what an event tells; `null` where its data are not those of its kind, as those of a server of another version
 * may be: who watches a job is not to fail over that.
 */
export function toldBy({ kind, data }: JobEvent): ToldEvent | null {
  switch (kind) {
    case 'state':
      return isState(data.state)
        ? { kind, state: data.state, attempt: isNumber(data.attempt) ? data.attempt : 1 }
        : null
    case 'step':
      return isText(data.step) && isText(data.state) ? { kind, step: data.step, state: data.state } : null
    case 'progress':
      return isProgress(data) ? { kind, progress: data } : null
    case 'metrics':
      return isText(data.category) && isRecord(data.values)
        ? { kind, category: data.category, values: data.values }
        : null
    case 'log':
      return isText(data.event) ? { kind, event: data.event, data: data.data ?? {} } : null
    case 'message':
      return isLevel(data.level) && isText(data.message)
        ? { kind, level: data.level, message: data.message }
        : null
    case 'file':
      return isFile(data) ? { kind, file: data } : null
    case 'dropped':
      return isNumber(data.count) ? { kind, count: data.count } : null
    default:
      return null
  }
}

function isProgress(data: unknown): data is JobProgress {
  if (!isRecord(data) || !isNumber(data.overall) || !isRecord(data.categories)) return false
  const { current, categories } = data
  const areCategories = Object.values(categories).every((category) => {
    return isRecord(category) && [category.current, category.total, category.percent].every(isNumber)
  })
  return areCategories && (current === null || isText(current))
}

function isFile(data: unknown): data is JobFileFacts {
  return isRecord(data) && isText(data.name) && isText(data.mediaType) && isNumber(data.bytes)
}

function isState(value: unknown): value is JobState {
  return jobStates.some((state) => state === value)
}

function isLevel(value: unknown): value is MessageLevel {
  return isText(value) && levels.includes(value)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}
