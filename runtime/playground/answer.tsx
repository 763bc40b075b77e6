import type { LocalProgress, Ran } from 'isoplex/client'
import type { JSX } from 'preact'
import type { Outcome } from './calls.ts'
import type { Failure } from './failure.ts'
import { formatBytes, formatDuration } from './latency.ts'
import { Output } from './output.tsx'

/** What became of a call to one place: how it ran, and what it answered or why it did not. */
export function AnswerPanel({ outcome }: { readonly outcome: Outcome }): JSX.Element {
  const { asked, state, answer, failure, stream, progress } = outcome
  const place = answer?.ran.where ?? asked
  const title = place === 'auto' ? 'Automatic' : place === 'browser' ? 'Browser' : 'Server'
  return (
    <section class={`answer ${state}`} aria-label={`Answer: ${title}`} aria-busy={state === 'running'}>
      <header>
        <h3 class={place}>{title}</h3>
        <span class="state">{stateText(outcome)}</span>
      </header>
      {progress === null ? null : <ModelProgress progress={progress} />}
      {failure === null ? null : <FailureNote failure={failure} />}
      {stream !== null ? (
        <StreamItems stream={stream} />
      ) : answer !== null && failure === null ? (
        <Output value={answer.output} />
      ) : null}
      {answer !== null && failure === null && state !== 'running' ? <RanFacts ran={answer.ran} /> : null}
    </section>
  )
}

/** How far a model is on its way into the page. */
export function ModelProgress({ progress }: { readonly progress: LocalProgress }): JSX.Element {
  const { stage, model, doneBytes, totalBytes } = progress
  const words = { download: 'Downloading', load: 'Loading', verify: 'Checking' }
  const isCounted = stage === 'download' && totalBytes > 0
  const named = { 'aria-label': `${words[stage]} ${model}` }
  return (
    <div class="progress">
      <span class="note">
        {words[stage]} {model}
        {isCounted ? `: ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}` : '…'}
      </span>
      {isCounted ? <progress {...named} value={doneBytes} max={totalBytes} /> : <progress {...named} />}
    </div>
  )
}

/** A failure: its code, what happened, and what to do. */
export function FailureNote({ failure }: { readonly failure: Failure }): JSX.Element {
  const { code, message, advice, issues, requestId } = failure
  return (
    <div class="failure" role="alert">
      <p>
        <code>{code}</code> {message}
      </p>
      {issues.length === 0 ? null : (
        <ul>
          {issues.map(({ path, message: problem }) => (
            <li key={`${path} ${problem}`}>
              <code>{path || 'the whole'}</code> {problem}
            </li>
          ))}
        </ul>
      )}
      {advice === '' ? null : <p>{advice}</p>}
      {requestId === null ? null : (
        <p class="note">
          Request <code>{requestId}</code>
        </p>
      )}
    </div>
  )
}

function StreamItems({ stream }: { readonly stream: NonNullable<Outcome['stream']> }): JSX.Element {
  const { items, dropped } = stream
  return (
    <div class="stream">
      <p class="note">
        {dropped + items.length} items{dropped > 0 ? `, the last ${items.length} of them shown` : ''}
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keys. */}
      <ol start={dropped + 1} tabIndex={0} aria-label="Items of the stream">
        {items.map((item, index) => (
          <li key={dropped + index}>
            <code>{JSON.stringify(item)}</code>
          </li>
        ))}
      </ol>
    </div>
  )
}

function RanFacts({ ran }: { readonly ran: Ran }): JSX.Element {
  const facts: readonly (readonly [string, string | null])[] = [
    ['total', formatDuration(ran.tookMs)],
    ['queue', ran.queueMs === null ? null : formatDuration(ran.queueMs)],
    ['infer', ran.inferMs === null ? null : formatDuration(ran.inferMs)],
    ['provider', ran.provider],
    ['model', ran.model === null ? null : `${ran.model.id} @ ${ran.model.version.slice(0, 16)}`],
    ['request', ran.requestId],
  ]
  return (
    <footer>
      {ran.fellBack === null ? null : (
        <p class="fell">
          Fell back to the server: <code>{ran.fellBack.code}</code> {ran.fellBack.message}
        </p>
      )}
      {ran.reason === null ? null : <p class="note">{ran.reason}</p>}
      <dl class="facts">
        {facts.map(([name, fact]) =>
          fact === null ? null : (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{fact}</dd>
            </div>
          ),
        )}
      </dl>
    </footer>
  )
}

function stateText({ state, answer }: Outcome): string {
  if (state === 'running') return 'running…'
  if (state === 'done' && answer !== null) return formatDuration(answer.ran.tookMs)
  return state
}
