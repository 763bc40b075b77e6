import type { Credentials } from '../../auth/credentials.ts'

/** For whom a job uses models. */
export interface Submitter {
  /** What the token said with which the job was submitted; `null` where none was sent. */
  readonly credentials: Credentials | null
  /** The models that the action may use without a token. */
  readonly models: readonly string[]
  /** Where several versions of a model share what is asked of it, equal keys get the same; `null` is the principal. */
  readonly stickyKey: string | null
}

/** What the credential of a job is sealed for: another principal's, or another action's, job cannot open it. */
export function sealPurposeOf(job: { readonly principal: string; readonly function: string }): string {
  return JSON.stringify(['job', job.principal, job.function])
}
