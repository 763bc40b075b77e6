import {
  Counter,
  Gauge,
  Histogram,
  type OpenMetricsContentType,
  type PrometheusContentType,
  type Registry,
} from 'prom-client'
import type { Distribution } from '../../observe/distribution.ts'

/** A registry that writes either form. */
export type MetricsRegistry = Registry<PrometheusContentType> | Registry<OpenMetricsContentType>

/** The labels of a value; those that do not apply are left out. */
export type Labels = Readonly<Record<string, string>>

/** Something that is measured, and where it is read when somebody asks. */
export interface Metric<Value> {
  readonly name: string
  /** A sentence for people. */
  readonly help: string
  readonly labels?: readonly string[]
  /** Gives the values as they are now. Values of equal labels are added up. */
  readonly read: () => Iterable<readonly [Labels, Value]>
}

/** Adds a number that only rises. Its name ends in `_total`. */
export function addCounter(
  registry: MetricsRegistry,
  { name, help, labels = [], read }: Metric<number>,
): void {
  const counter: Counter = new Counter({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
    collect() {
      counter.reset()
      for (const [given, value] of read()) counter.inc(given, value)
    },
  })
}

/** Adds a number that rises and falls. */
export function addGauge(registry: MetricsRegistry, { name, help, labels = [], read }: Metric<number>): void {
  const gauge: Gauge = new Gauge({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
    collect() {
      gauge.reset()
      for (const [given, value] of read()) gauge.inc(given, value)
    },
  })
}

/** Adds distributions, of which those that have no number yet are not shown. */
export function addHistogram(registry: MetricsRegistry, metric: Metric<Distribution>): void {
  registry.registerMetric(new ReadHistogram(metric))
}

/** A line of a histogram as prom-client writes it. */
interface HistogramValue {
  readonly metricName: string
  readonly labels: Labels
  readonly value: number
}

/** A histogram that is filled elsewhere: prom-client has no other way in than one number after the other. */
class ReadHistogram extends Histogram {
  readonly #metric: Metric<Distribution>

  constructor(metric: Metric<Distribution>) {
    const { name, help, labels = [] } = metric
    super({ name, help, labelNames: [...labels], registers: [] })
    this.#metric = metric
  }

  /** What prom-client asks a histogram for when it writes it down. */
  async getForPromString(): Promise<object> {
    const { name, help, read } = this.#metric
    const values = [...read()].flatMap(([labels, distribution]) => linesOf(name, labels, distribution))
    return { name, help, type: 'histogram', values, aggregator: 'sum' }
  }
}

function linesOf(name: string, labels: Labels, distribution: Distribution): readonly HistogramValue[] {
  const { bounds, count, sum } = distribution
  if (count === 0) return []
  const below = distribution.cumulative()
  const buckets = bounds.map((bound, index) => bucketOf(String(bound), below[index] ?? 0))
  return [
    ...buckets,
    bucketOf('+Inf', count),
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ]

  function bucketOf(le: string, value: number): HistogramValue {
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value }
  }
}
