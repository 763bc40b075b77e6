import type { SystemRoute } from '../system-route.ts'
import type { MetricsRegistries, MetricsSources } from './registries.ts'

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
  let opened: Promise<MetricsRegistries> | null = null
  const open = async (): Promise<MetricsRegistries> => {
    // What writes them down takes a while to come up, and nobody may ever ask.
    const { openRegistries } = await import('./registries.ts')
    return openRegistries(sources)
  }
  return {
    path: '/metrics',
    handlers: {
      async GET({ request }) {
        await admit(request)
        opened ??= open()
        await sources.surveyJobs()
        const { openMetrics, prometheus } = await opened
        const registry = prefersOpenMetrics(request.headers.get('accept')) ? openMetrics : prometheus
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
