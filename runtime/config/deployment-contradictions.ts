import type { DeploymentSettings } from './deployment-config.ts'

/** What in the settings of a deployment cannot be had together: a sentence each. `subject` says whose they are. */
export function settingsContradictions(
  { replicas, resources = {} }: DeploymentSettings,
  subject: string,
): readonly string[] {
  const contradictions: string[] = []
  if (typeof replicas === 'object' && replicas.min > replicas.max) {
    contradictions.push(
      `${subject}: replicas.min (${replicas.min}) must not exceed replicas.max (${replicas.max}); raise the latter.`,
    )
  }
  for (const resource of ['cudaDevices', 'maxModelBytes'] as const) {
    if (resources[resource] === undefined || replicas !== undefined) continue
    contradictions.push(
      `${subject}: resources.${resource} is about a whole replica, so that it needs replicas of its own; set replicas.`,
    )
  }
  return contradictions
}
