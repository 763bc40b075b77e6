import type { Job } from 'isoplex/client'
import type { JSX } from 'preact'
import { formatJson } from './json-text.ts'

/** A job reports what it likes; the page shows this many figures of a category. */
const mostFigures = 40
const mostCategories = 20
const mostCharacters = 200

/** The figures that a job has reported, by their categories. */
export function JobMetricsView({ metrics }: { readonly metrics: Job['metrics'] }): JSX.Element | null {
  const categories = Object.entries(metrics).slice(0, mostCategories)
  if (categories.length === 0) return null
  return (
    <section class="card" aria-labelledby="metrics-title">
      <h2 id="metrics-title">Metrics</h2>
      {categories.map(([category, values]) => (
        <figure key={category}>
          <figcaption>{category}</figcaption>
          <dl class="facts">
            {Object.entries(values)
              .slice(0, mostFigures)
              .map(([name, value]) => (
                <div key={name}>
                  <dt>{name}</dt>
                  <dd>{textOf(value)}</dd>
                </div>
              ))}
          </dl>
        </figure>
      ))}
    </section>
  )
}

function textOf(value: unknown): string {
  if (typeof value === 'number') return String(Number(value.toPrecision(6)))
  const text = typeof value === 'string' ? value : formatJson(value)
  return text.length > mostCharacters ? `${text.slice(0, mostCharacters)}…` : text
}
