import { type OpenMetricsContentType, type PrometheusContentType, Registry } from 'prom-client'
import type { SystemRoute } from '../system-route.ts'
import { addGatewayMetrics, type GatewaySources } from './gateway-metrics.ts'
import { addReplicaMetrics, type ReplicaSources } from './replica-metrics.ts'
import { addRequestMetrics, type RequestSources } from './request-metrics.ts'

/** All that metrics are read from. */
export type MetricsSources = GatewaySources & ReplicaSources & RequestSources

/** How metrics are served. */
export interface MetricsRouteOptions {
  readonly sources: MetricsSources
  /** Refuses who may not read them. @throws {IsoplexError} `ACCESS_REQUIRED`, `ACCESS_FORBIDDEN` */
  readonly admit: (request: Request) => Promise<unknown>
}

const openMetricsType = 'application/openmetrics-text'

/**
 * Makes the path `/metrics`: what the gateway has counted, read when somebody asks, as OpenMetrics where `Accept`
 * prefers it and else as the text of Prometheus.
 */
export function createMetricsRoute({ sources, admit }: MetricsRouteOptions): SystemRoute {
  const plain = new Registry<PrometheusContentType>()
  const open = new Registry<OpenMetricsContentType>()
  open.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
  for (const registry of [plain, open]) {
    addRequestMetrics(registry, sources)
    addReplicaMetrics(registry, sources)
    addGatewayMetrics(registry, sources)
  }
  return {
    path: '/metrics',
    handlers: {
      async GET({ request }) {
        await admit(request)
        const registry = prefersOpenMetrics(request.headers.get('accept')) ? open : plain
        const headers = { 'content-type': registry.contentType, 'cache-control': 'no-store' }
        return new Response(await registry.metrics(), { headers })
      },
    },
  }
}

/** Whether a client would rather have OpenMetrics than the text of Prometheus (RFC 9110, section 12.5.1). */
export function prefersOpenMetrics(accept: string | null): boolean {
  let [open, plain] = [0, 0]
  for (const range of accept?.split(',') ?? []) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const weight = Number(parameters.find((part) => part.startsWith('q='))?.slice(2) ?? 1)
    if (type === openMetricsType) open = Math.max(open, weight)
    if (type === 'text/plain') plain = Math.max(plain, weight)
  }
  return open > 0 && open >= plain
}
