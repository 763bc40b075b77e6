/** The client of isoplex servers, for pages, Node and Bun: published as `isoplex/client`. */
export type { FileValue } from '../define/file-value.ts'
export { fileValue } from '../define/file-value.ts'
export type { TensorArrays, TensorElement, TensorType } from '../engine/tensor.ts'
export { Tensor, tensor } from '../engine/tensor.ts'
export type { ErrorCode, ErrorDetails } from '../error/codes.ts'
export type { AnyIsoplexError } from '../error/error.ts'
export { IsoplexError, isIsoplexError } from '../error/error.ts'
export type { JobEvent, JobEventKind } from '../job/event.ts'
export type { Job, JobError, JobProgress, JobState, JobStep } from '../job/job.ts'
export type { RouteFacts, RouteList } from '../page/route-list.ts'
export type { LocalProgress } from '../page/run.ts'
export type { Answered, Ran, Where } from './answered.ts'
export type { ClientOptions } from './client.ts'
export { createClient } from './client.ts'
export type { CallOptions, SubmitOptions } from './errand.ts'
export type {
  ActionHandle,
  AnyRoutes,
  Client,
  EdgeHandle,
  Given,
  InferenceHandle,
  Received,
} from './handles.ts'
export type { EventOptions, JobHandle, JobOptions, WaitOptions } from './job-handle.ts'
export type { JobListOptions, Jobs } from './jobs.ts'
export type { LocalEngine } from './local-engine.ts'
export type { TokenOption } from './token-source.ts'
export type { WebEngineOptions } from './web-engine.ts'
export { webEngine } from './web-engine.ts'
