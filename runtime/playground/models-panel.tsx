import type { Ran } from 'isoplex/client'
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { FailureNote } from './answer.tsx'
import { type Failure, readFailure } from './failure.ts'

/** A model that answered in this page. */
interface PageModel {
  readonly key: string
  readonly id: string
  readonly version: string
  readonly provider: string
  readonly runs: number
}

/** The models that answered in this page since it was opened. */
export interface Models {
  readonly loaded: readonly PageModel[]
  /** Takes note of what computed an answer. */
  note(ran: Ran): void
  forget(): void
}

/** Keeps count of the models that answer in this page. */
export function useModels(): Models {
  const [loaded, setLoaded] = useState<readonly PageModel[]>([])
  return {
    loaded,
    note({ where, model, provider }) {
      if (where !== 'browser' || model === null) return
      const key = `${model.id} ${model.version} ${provider}`
      setLoaded((all) => {
        const runs = (all.find((each) => each.key === key)?.runs ?? 0) + 1
        const entry = { key, ...model, provider: provider ?? '—', runs }
        return runs === 1 ? [...all, entry] : all.map((each) => (each.key === key ? entry : each))
      })
    },
    forget: () => setLoaded([]),
  }
}

/** The models of this page, and a button that removes what the browser has kept of them. */
export function ModelsPanel({
  models,
  onClear,
}: {
  readonly models: Models
  /** Forgets the models that are loaded, and removes those that are kept. */
  readonly onClear: () => Promise<void>
}): JSX.Element {
  const [state, setState] = useState<string>('')
  const [failure, setFailure] = useState<Failure | null>(null)
  const clear = async (): Promise<void> => {
    setFailure(null)
    setState('Clearing…')
    try {
      await onClear()
      models.forget()
      setState('Cleared: the next call downloads its model again.')
    } catch (error) {
      setState('')
      setFailure(readFailure(error))
    }
  }
  return (
    <section class="card models" aria-labelledby="models-title">
      <header class="card-head">
        <h2 id="models-title">Models in this page</h2>
        <button type="button" onClick={() => void clear()}>
          Clear what is kept
        </button>
      </header>
      {models.loaded.length === 0 ? (
        <p class="note">None has answered here yet. A model is downloaded once and kept by this browser.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">Model</th>
              <th scope="col">Version</th>
              <th scope="col">Provider</th>
              <th scope="col">Runs</th>
            </tr>
          </thead>
          <tbody>
            {models.loaded.map(({ key, id, version, provider, runs }) => (
              <tr key={key}>
                <td>{id}</td>
                <td title={version}>{version.slice(0, 16)}</td>
                <td>{provider}</td>
                <td>{runs}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <p class="note" aria-live="polite">
        {state}
      </p>
      {failure === null ? null : <FailureNote failure={failure} />}
    </section>
  )
}
