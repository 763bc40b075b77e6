import type { DeploymentControl, DeploymentReport } from '../../replica/deployment-report.ts'
import { addGauge, type Labels, type MetricsRegistry } from './metric.ts'

/** What the metrics of deployments are read from. */
export interface DeploymentSources {
  readonly deployments: Pick<DeploymentControl, 'list'>
}

/** Adds what each deployment has, and has to do. */
export function addDeploymentMetrics(registry: MetricsRegistry, { deployments }: DeploymentSources): void {
  const each = (amountOf: (report: DeploymentReport) => number): [Labels, number][] =>
    deployments.list().map((report) => [{ deployment: report.name }, amountOf(report)])
  const gauges: readonly (readonly [string, string, (report: DeploymentReport) => number])[] = [
    [
      'isoplex_deployment_replica_target_count',
      'Replicas that are to answer a deployment, its own or those of the default group.',
      ({ replicas }) => replicas.target,
    ],
    [
      'isoplex_deployment_replica_count',
      'Replicas that answer a deployment, its own or those of the default group.',
      ({ replicas }) => replicas.running,
    ],
    ['isoplex_deployment_ongoing_request_count', "Requests in runners' hands.", ({ ongoing }) => ongoing],
    ['isoplex_deployment_queued_request_count', 'Requests that wait.', ({ queued }) => queued],
  ]
  for (const [name, help, amountOf] of gauges)
    addGauge(registry, { name, help, labels: ['deployment'], read: () => each(amountOf) })
}
