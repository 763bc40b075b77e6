import { type LocalEngine, webEngine } from 'isoplex/client'
import type { JSX } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { ActionBench } from './action-bench.tsx'
import { createCaller } from './caller.ts'
import type { Catalog, CatalogFunction } from './catalog.ts'
import { fetchCatalog } from './catalog-fetch.ts'
import { FunctionList } from './function-list.tsx'
import { JobList } from './job-list.tsx'
import { JobPage } from './job-page.tsx'
import { ModelsPanel, useModels } from './models-panel.tsx'
import { type ChosenView, readViewHash } from './view-hash.ts'
import { Workbench, type WorkbenchProps } from './workbench.tsx'

/** The playground: the functions of a server, and a place to try the chosen one. */
export function Page({ baseUrl }: { readonly baseUrl: string }): JSX.Element {
  const { catalog, problem, retry } = useCatalog(baseUrl)
  const [token, setToken] = useState('')
  const view = useChosenView()
  const models = useModels()
  const { local, clear } = useEngine()
  const caller = useMemo(() => createCaller({ baseUrl, token: token.trim(), local }), [baseUrl, token, local])
  const functions = catalog?.functions ?? []
  const fn = functionOf(view, functions)
  const title = fn?.name ?? (view.kind === 'function' ? null : 'Jobs')
  useEffect(() => {
    document.title = title === null ? 'isoplex playground' : `${title} · isoplex playground`
  }, [title])
  const common = { catalog, caller, baseUrl, hasToken: token.trim() !== '' }
  return (
    <>
      <button type="button" class="skip" onClick={focusMain}>
        Skip to the function
      </button>
      <header class="top">
        <h1>
          isoplex <span>playground</span>
        </h1>
        <span class="app">{catalog?.app}</span>
        <TokenField token={token} onChange={setToken} />
      </header>
      <div class="columns">
        <FunctionList catalog={catalog} chosen={fn?.name ?? null} showsJobs={view.kind !== 'function'} />
        <main id="main" tabIndex={-1}>
          {problem === null ? null : (
            <div class="failure" role="alert">
              <p>The server does not tell its functions: {problem}</p>
              <button type="button" onClick={retry}>
                Try again
              </button>
            </div>
          )}
          {view.kind === 'jobs' ? <JobList jobs={caller.jobs} /> : null}
          {view.kind === 'job' ? (
            <JobPage key={view.id} jobs={caller.jobs} id={view.id} functions={functions} />
          ) : null}
          {view.kind === 'function' ? (
            <>
              <Bench {...common} fn={fn} view={view} onLoaded={models.note} />
              {fn?.kind === 'action' ? null : <ModelsPanel models={models} onClear={clear} />}
            </>
          ) : null}
        </main>
      </div>
    </>
  )
}

function TokenField({
  token,
  onChange,
}: {
  readonly token: string
  readonly onChange: (token: string) => void
}): JSX.Element {
  return (
    // A form, for those who fill in passwords for people; it is sent nowhere.
    <form class="token" onSubmit={(event) => event.preventDefault()}>
      <label for="token">Model token</label>
      <input
        id="token"
        type="password"
        autocomplete="off"
        spellcheck={false}
        value={token}
        placeholder="none"
        aria-describedby="token-note"
        onInput={({ currentTarget }) => onChange(currentTarget.value)}
      />
      <span class="hidden" id="token-note">
        Kept in this page’s memory only. It says which model answers; isoplex token --model ID makes one.
      </span>
    </form>
  )
}

interface BenchProps extends Omit<WorkbenchProps, 'fn' | 'catalog'> {
  readonly fn: CatalogFunction | undefined
  readonly catalog: Catalog | null
  readonly view: ChosenView
}

/** Where the chosen function is tried, by its kind. */
function Bench({ fn, catalog, view, onLoaded, ...common }: BenchProps): JSX.Element {
  if (catalog === null || fn === undefined) return <p class="note empty">{emptyText(catalog, view)}</p>
  const props = { ...common, fn, catalog }
  return fn.kind === 'action' ? (
    <ActionBench key={fn.name} {...props} />
  ) : (
    <Workbench key={fn.name} {...props} onLoaded={onLoaded} />
  )
}

/** The function that is chosen: the first one where nothing is. */
function functionOf(view: ChosenView, functions: readonly CatalogFunction[]): CatalogFunction | undefined {
  if (view.kind !== 'function') return undefined
  return view.name === null ? functions[0] : functions.find(({ name }) => name === view.name)
}

/** What answers in this page: one engine, so that loaded models stay when the token changes. */
function useEngine(): { readonly local: LocalEngine; readonly clear: () => Promise<void> } {
  const [local, setLocal] = useState(() => webEngine())
  const clear = async (): Promise<void> => {
    // What runs holds models in memory, and would keep them again.
    const fresh = webEngine()
    setLocal(fresh)
    await local[Symbol.asyncDispose]()
    await fresh.clear()
  }
  return { local, clear }
}

function useCatalog(baseUrl: string): {
  readonly catalog: Catalog | null
  readonly problem: string | null
  readonly retry: () => void
} {
  const [catalog, setCatalog] = useState<Catalog | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const [attempt, setAttempt] = useState(0)
  useEffect(() => {
    const controller = new AbortController()
    setProblem(null)
    fetchCatalog(baseUrl, controller.signal).then(setCatalog, (error: unknown) => {
      if (!controller.signal.aborted) setProblem(error instanceof Error ? error.message : String(error))
    })
    return () => controller.abort()
  }, [baseUrl, attempt])
  return { catalog, problem, retry: () => setAttempt(attempt + 1) }
}

/** What the page's address chooses. */
function useChosenView(): ChosenView {
  const [hash, setHash] = useState(() => location.hash)
  useEffect(() => {
    const follow = (): void => setHash(location.hash)
    addEventListener('hashchange', follow)
    return () => removeEventListener('hashchange', follow)
  }, [])
  return readViewHash(hash)
}

/** A link within the page would change its address, which chooses the function. */
function focusMain(): void {
  document.getElementById('main')?.focus()
}

function emptyText(catalog: Catalog | null, view: ChosenView): string {
  if (catalog === null) return ''
  const name = view.kind === 'function' ? view.name : null
  if (name !== null && catalog.functions.length > 0) return `There is no function “${name}”.`
  return 'There are no functions yet: put a file into functions/.'
}
