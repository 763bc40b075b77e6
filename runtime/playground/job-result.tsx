import type { Job, JobHandle } from 'isoplex/client'
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { FailureNote } from './answer.tsx'
import { type Failure, readFailure } from './failure.ts'
import { formatBytes } from './latency.ts'
import { Output } from './output.tsx'
import { tableOf } from './value-table.ts'

/** A result that is larger is read only where somebody asks for it. */
const mostBytes = 2_000_000
/** The page shows this many values of a result of many. */
const mostLines = 200

/** What a job gave: one value as outputs are shown, many as a table of the first ones. */
export function JobResult({
  job,
  handle,
}: {
  readonly job: Job
  readonly handle: JobHandle
}): JSX.Element | null {
  const [isWanted, setWanted] = useState(false)
  const { result } = job
  if (job.state !== 'succeeded' || result === null) return null
  const isRead = isWanted || result.form === 'lines' || result.bytes <= mostBytes
  return (
    <section class="card" aria-labelledby="result-title">
      <header class="card-head">
        <h2 id="result-title">Result</h2>
        <span class="note">
          {result.form === 'lines' ? `${result.count} values, ` : ''}
          {formatBytes(result.bytes)}
        </span>
      </header>
      {isRead ? (
        <ReadResult handle={handle} form={result.form} count={result.count} />
      ) : (
        <button type="button" onClick={() => setWanted(true)}>
          Show it
        </button>
      )}
    </section>
  )
}

function ReadResult({
  handle,
  form,
  count,
}: {
  readonly handle: JobHandle
  readonly form: 'value' | 'lines'
  readonly count: number
}): JSX.Element {
  const [values, setValues] = useState<readonly unknown[] | null>(null)
  const [failure, setFailure] = useState<Failure | null>(null)
  useEffect(() => {
    const controller = new AbortController()
    const { signal } = controller
    firstValues(handle, signal).then(setValues, (error: unknown) => {
      if (!signal.aborted) setFailure(readFailure(error))
    })
    return () => controller.abort()
  }, [handle])
  if (failure !== null) return <FailureNote failure={failure} />
  if (values === null) return <p class="note">Reading…</p>
  return form === 'value' ? <Output value={values[0]} /> : <Lines values={values} count={count} />
}

async function firstValues(handle: JobHandle, signal: AbortSignal): Promise<readonly unknown[]> {
  const values: unknown[] = []
  for await (const value of handle.results({ signal })) {
    values.push(value)
    if (values.length === mostLines) break
  }
  return values
}

function Lines({
  values,
  count,
}: {
  readonly values: readonly unknown[]
  readonly count: number
}): JSX.Element {
  const { columns, rows } = tableOf(values)
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keys. */}
      <section class="wide-table" tabIndex={0} aria-label="Values of the result">
        <table>
          <thead>
            <tr>
              <th scope="col">#</th>
              {columns.map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((cells, index) => (
              <tr key={index}>
                <td>{index + 1}</td>
                {cells.map((cell, column) => (
                  <td key={columns[column]}>{cell}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {count > values.length ? (
        <p class="note">
          The first {values.length} of {count}.
        </p>
      ) : null}
    </>
  )
}
