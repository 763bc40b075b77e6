import { type LocalEngine, webEngine } from 'isoplex/client'
import type { JSX } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { createCaller } from './caller.ts'
import { type Catalog, nameOfHash } from './catalog.ts'
import { fetchCatalog } from './catalog-fetch.ts'
import { FunctionList } from './function-list.tsx'
import { ModelsPanel, useModels } from './models-panel.tsx'
import { Workbench } from './workbench.tsx'

/** The playground: the functions of a server, and a place to try the chosen one. */
export function Page({ baseUrl }: { readonly baseUrl: string }): JSX.Element {
  const { catalog, problem, retry } = useCatalog(baseUrl)
  const [token, setToken] = useState('')
  const name = useHashName()
  const models = useModels()
  const { local, clear } = useEngine()
  const caller = useMemo(() => createCaller({ baseUrl, token: token.trim(), local }), [baseUrl, token, local])
  const functions = catalog?.functions ?? []
  const fn = functions.find((each) => each.name === name) ?? (name === null ? functions[0] : undefined)
  useEffect(() => {
    document.title = fn === undefined ? 'isoplex playground' : `${fn.name} · isoplex playground`
  }, [fn])
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
        <FunctionList catalog={catalog} chosen={fn?.name ?? null} />
        <main id="main" tabIndex={-1}>
          {problem === null ? null : (
            <div class="failure" role="alert">
              <p>The server does not tell its functions: {problem}</p>
              <button type="button" onClick={retry}>
                Try again
              </button>
            </div>
          )}
          {catalog !== null && fn !== undefined ? (
            <Workbench
              key={fn.name}
              fn={fn}
              catalog={catalog}
              caller={caller}
              baseUrl={baseUrl}
              hasToken={token.trim() !== ''}
              onLoaded={models.note}
            />
          ) : (
            <p class="note empty">{emptyText(catalog, name)}</p>
          )}
          <ModelsPanel models={models} onClear={clear} />
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

/** The name of the function that the page's address chooses. */
function useHashName(): string | null {
  const [name, setName] = useState(() => nameOfHash(location.hash))
  useEffect(() => {
    const follow = (): void => setName(nameOfHash(location.hash))
    addEventListener('hashchange', follow)
    return () => removeEventListener('hashchange', follow)
  }, [])
  return name
}

/** A link within the page would change its address, which chooses the function. */
function focusMain(): void {
  document.getElementById('main')?.focus()
}

function emptyText(catalog: Catalog | null, name: string | null): string {
  if (catalog === null) return ''
  if (name !== null && catalog.functions.length > 0) return `There is no function “${name}”.`
  return 'There are no functions yet: put a file into functions/.'
}
