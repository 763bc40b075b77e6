import { type OpenMetricsContentType, type PrometheusContentType, Registry } from 'prom-client'
import { addDeploymentMetrics, type DeploymentSources } from './deployment-metrics.ts'
import { addGatewayMetrics, type GatewaySources } from './gateway-metrics.ts'
import { addJobMetrics, type JobSources } from './job-metrics.ts'
import { addReplicaMetrics, type ReplicaSources } from './replica-metrics.ts'
import { addRequestMetrics, type RequestSources } from './request-metrics.ts'

/** All that metrics are read from. */
export type MetricsSources = DeploymentSources & GatewaySources & JobSources & ReplicaSources & RequestSources

/** The same metrics, to be written in either form. */
export interface MetricsRegistries {
  readonly prometheus: Registry<PrometheusContentType>
  readonly openMetrics: Registry<OpenMetricsContentType>
}

/** Makes both registries. prom-client renames counters as it writes them, so each form has its own. */
export function openRegistries(sources: MetricsSources): MetricsRegistries {
  const prometheus = new Registry<PrometheusContentType>()
  const openMetrics = new Registry<OpenMetricsContentType>()
  openMetrics.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
  for (const registry of [prometheus, openMetrics]) {
    addRequestMetrics(registry, sources)
    addReplicaMetrics(registry, sources)
    addDeploymentMetrics(registry, sources)
    addJobMetrics(registry, sources)
    addGatewayMetrics(registry, sources)
  }
  return { prometheus, openMetrics }
}
