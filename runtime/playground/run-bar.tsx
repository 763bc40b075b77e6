import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Wish } from './calls.ts'
import type { CatalogFunction } from './catalog.ts'

/** What the bar below a form shows and does. */
export interface RunBarProps {
  readonly fn: CatalogFunction
  readonly wish: Wish
  readonly onWish: (wish: Wish) => void
  readonly isRunning: boolean
  readonly onRun: (times: number) => void
  readonly onCancel: () => void
}

const wishes: readonly (readonly [Wish, string, string])[] = [
  ['auto', 'Auto', 'In the browser where that is possible, else on the server'],
  ['browser', 'Browser', 'In this page'],
  ['server', 'Server', 'On the server'],
  ['both', 'Both', 'In this page and on the server, side by side'],
]
const mostRepeats = 1_000

/** Where a call is to run, and the buttons that start and stop it. */
export function RunBar(props: RunBarProps): JSX.Element {
  const { fn, wish, onWish, isRunning, onRun, onCancel } = props
  const [times, setTimes] = useState(20)
  const isOffered = (each: Wish): boolean => fn.runsHere || each === 'server'
  return (
    <div class="run-bar">
      <fieldset class="where">
        <legend class="hidden">Where it runs</legend>
        {wishes.map(([each, label, title]) => (
          <label key={each} title={isOffered(each) ? title : 'This function was not built for pages'}>
            <input
              type="radio"
              name="where"
              value={each}
              checked={wish === each}
              disabled={!isOffered(each)}
              onChange={() => onWish(each)}
            />
            <span class="option">{label}</span>
          </label>
        ))}
      </fieldset>
      <div class="run-buttons">
        {/* A button that is disabled while it has the focus would lose it. */}
        <button type="submit" class="primary" aria-disabled={isRunning} title="Ctrl + Enter">
          Run
        </button>
        <button type="button" aria-disabled={isRunning} onClick={() => onRun(times)}>
          Repeat
        </button>
        <input
          type="number"
          class="times"
          min={1}
          max={mostRepeats}
          step={1}
          value={times}
          aria-label="How often to repeat"
          onInput={({ currentTarget }) =>
            setTimes(Math.max(1, Math.min(mostRepeats, Math.round(currentTarget.valueAsNumber) || 1)))
          }
        />
        <button type="button" aria-disabled={!isRunning} onClick={onCancel}>
          Stop
        </button>
      </div>
      {fn.runsHere ? null : (
        <p class="note">
          Runs on the server only: its file does not say <code>runs: ['server', 'browser']</code>.
        </p>
      )}
    </div>
  )
}
