import type { ResolvedModel } from '../../model/resolve.ts'
import type { Submitter } from './submitter.ts'

/**
 * The models of jobs. Each use is asked for anew, at the longest a short while ago: what a submitter has lost, its jobs
 * do not get any more.
 */
export interface JobModels {
  /**
   * A model's metadata, with none of its files.
   *
   * @throws {IsoplexError} `MODEL_FORBIDDEN` where the submitter has no right to it, `MODEL_NOT_FOUND`, and what else
   * keeps the backend from answering.
   */
  describe(submitter: Submitter, modelId: string): Promise<Readonly<Record<string, unknown>>>
  /** A model with its files on this machine. @throws {IsoplexError} as {@link describe}, and what keeps them away. */
  prepare(submitter: Submitter, modelId: string): Promise<ResolvedModel>
}
