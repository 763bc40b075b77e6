import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { JobLines } from './job-lines.ts'

/** What a job has told, the latest at the end, which stays in sight unless somebody reads further up. */
export function JobLinesView({ told }: { readonly told: JobLines }): JSX.Element {
  const { lines, dropped } = told
  const list = useRef<HTMLOListElement>(null)
  const isAtEnd = useRef(true)
  useEffect(() => {
    if (isAtEnd.current && list.current) list.current.scrollTop = list.current.scrollHeight
  }, [told])
  return (
    <section class="card" aria-labelledby="log-title">
      <header class="card-head">
        <h2 id="log-title">Log</h2>
        <span class="note">
          {dropped + lines.length} lines{dropped > 0 ? `, the last ${lines.length} of them shown` : ''}
        </span>
      </header>
      <ol
        ref={list}
        class="job-log"
        aria-labelledby="log-title"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keys.
        tabIndex={0}
        onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
          isAtEnd.current = scrollTop + clientHeight >= scrollHeight - 4
        }}
      >
        {lines.map(({ seq, atMs, label, level, text }) => (
          <li key={seq} class={level}>
            <time dateTime={new Date(atMs).toISOString()}>{new Date(atMs).toLocaleTimeString()}</time>{' '}
            <b>{label}</b> {text}
          </li>
        ))}
      </ol>
    </section>
  )
}
