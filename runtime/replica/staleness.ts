import type { RunnerLink } from './runner-link.ts'

/** The ids of the deployments that are current; `null` while all are. */
export type CurrentDeployments = ReadonlySet<string> | null

/** Whether a runner is of code that is no longer current. */
export function isStale(
  { deployment }: Pick<RunnerLink, 'deployment'>,
  current: CurrentDeployments,
): boolean {
  return current !== null && !current.has(deployment.id)
}

/**
 * Whether a runner of code that is no longer current is kept: for requests that are at hand in others of such code, which
 * may call it. Callers go before those whom they call.
 */
export function isKeptForCallers(
  { deployment: { functionName } }: RunnerLink,
  links: Iterable<RunnerLink>,
  current: CurrentDeployments,
): boolean {
  for (const other of links) {
    if (!other.idle && isStale(other, current) && other.deployment.calls.includes(functionName)) return true
  }
  return false
}
