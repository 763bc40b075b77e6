import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { type Catalog, type CatalogFunction, hashOf, searchFunctions } from './catalog.ts'
import { jobsHash } from './view-hash.ts'

/** The functions of a server, found by typing. Arrow keys go through them; a slash leads to the search. */
export function FunctionList({
  catalog,
  chosen,
  showsJobs,
}: {
  readonly catalog: Catalog | null
  readonly chosen: string | null
  /** Whether jobs are shown instead of a function. */
  readonly showsJobs: boolean
}): JSX.Element {
  const [search, setSearch] = useState('')
  const list = useRef<HTMLUListElement>(null)
  const input = useSlashKey()
  const found = searchFunctions(catalog?.functions ?? [], search)
  const links = (): HTMLAnchorElement[] => [...(list.current?.querySelectorAll('a') ?? [])]
  const step = (event: KeyboardEvent): void => {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    const all = links()
    const at = all.indexOf(document.activeElement as HTMLAnchorElement)
    if (move === undefined || all.length === 0) return
    event.preventDefault()
    if (at + move < 0) input.current?.focus()
    else all[Math.min(all.length - 1, at + move)]?.focus()
  }
  return (
    <nav class="functions" aria-label="Functions" onKeyDown={step}>
      <input
        ref={input}
        type="search"
        aria-label="Search the functions"
        placeholder="Search"
        value={search}
        onInput={({ currentTarget }) => setSearch(currentTarget.value)}
        onKeyDown={({ key }) => {
          if (key === 'Enter') links()[0]?.click()
        }}
      />
      <ul ref={list}>
        {found.map((fn) => (
          <li key={fn.name}>
            <a href={hashOf(fn.name)} aria-current={fn.name === chosen ? 'page' : undefined}>
              <span class="name">{fn.name}</span>
              <Marks fn={fn} />
            </a>
          </li>
        ))}
      </ul>
      {showsJobs || catalog?.functions.some(({ action }) => action !== null) ? (
        <a class="all-jobs" href={jobsHash} aria-current={showsJobs ? 'page' : undefined}>
          Jobs
        </a>
      ) : null}
      <p class="hidden" aria-live="polite">
        {search === '' ? '' : `${found.length} functions`}
      </p>
      {catalog !== null && catalog.broken.length > 0 ? <Broken broken={catalog.broken} /> : null}
    </nav>
  )
}

function Marks({ fn }: { readonly fn: CatalogFunction }): JSX.Element {
  const kind = { inference: 'model', action: 'job', graph: 'graph' }[fn.kind] ?? 'edge'
  const words = [kind, fn.runsHere ? 'browser' : null]
  return <span class="marks">{words.filter(Boolean).join(' · ')}</span>
}

function Broken({ broken }: { readonly broken: Catalog['broken'] }): JSX.Element {
  return (
    <details class="broken" open>
      <summary>{broken.length} do not build</summary>
      <ul>
        {broken.map(({ file, reason }) => (
          <li key={file}>
            <code>{file}</code> {reason}
          </li>
        ))}
      </ul>
    </details>
  )
}

/** The search, which a slash typed outside of a field leads to. */
function useSlashKey(): { readonly current: HTMLInputElement | null } {
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      const isTyping =
        event.target instanceof Element && event.target.closest('input, textarea, select') !== null
      if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey) return
      event.preventDefault()
      input.current?.focus()
    }
    addEventListener('keydown', listen)
    return () => removeEventListener('keydown', listen)
  }, [])
  return input
}
