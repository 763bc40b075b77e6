import type { DeploymentChange } from '../../runtime/config/deployment-config.ts'
import { IsoplexError } from '../../runtime/error/error.ts'
import type { DeploymentControl, DeploymentReport } from '../../runtime/replica/deployment-report.ts'

/** A deployment as a server would report it. */
export function deploymentReportOf(name: string, facts: Partial<DeploymentReport> = {}): DeploymentReport {
  return {
    name,
    function: name,
    kind: 'function',
    version: `${name}-0123456789abcdef.js`,
    status: 'running',
    route: `/${name}`,
    group: null,
    replicas: { target: 2, running: 2 },
    ongoing: 0,
    queued: 0,
    settings: {},
    ...facts,
  }
}

/** Deployments that nobody answers: their settings are changed, and that is all. */
export function createMemoryDeployments(...reports: readonly DeploymentReport[]): DeploymentControl {
  const known = new Map(reports.map((report) => [report.name, report]))
  const find = (name: string): DeploymentReport => {
    const report = known.get(name)
    if (report) return report
    const message = `There is no deployment "${name}".`
    throw new IsoplexError('DEPLOYMENT_NOT_FOUND', message, { details: { deployment: name } })
  }
  return {
    list: () => [...known.values()],
    find,
    async redeploy(name, change: DeploymentChange) {
      const { replicas, ...rest } = change
      const before = find(name)
      const settings = { ...before.settings, ...rest, ...(replicas == null ? {} : { replicas }) }
      known.set(name, { ...before, settings })
      return find(name)
    },
  }
}
