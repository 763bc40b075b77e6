import { nameOfHash } from './catalog.ts'

/** What the page's address chooses: a function, all jobs, or one job. */
export type ChosenView =
  | { readonly kind: 'function'; readonly name: string | null }
  | { readonly kind: 'jobs' }
  | { readonly kind: 'job'; readonly id: string }

/** The address of all jobs within the page. No function's begins so: theirs begin with `#/`. */
export const jobsHash = '#jobs'

/** The address of a job within the page. */
export function hashOfJob(id: string): string {
  return `${jobsHash}/${id}`
}

/** Reads what a page's address chooses. */
export function readViewHash(hash: string): ChosenView {
  if (hash === jobsHash) return { kind: 'jobs' }
  const [, id] = /^#jobs\/(\w{1,64})$/.exec(hash) ?? []
  return id === undefined ? { kind: 'function', name: nameOfHash(hash) } : { kind: 'job', id }
}
