import type { JSX } from 'preact'
import type { CatalogFunction } from './catalog.ts'

/** What a function is, and what it needs. */
export function FunctionHead({
  fn,
  hasToken,
}: {
  readonly fn: CatalogFunction
  readonly hasToken: boolean
}): JSX.Element {
  const { name, method, path, description, kind, access, runsHere, file } = fn
  return (
    <div class="function-head">
      <h2>{name}</h2>
      <p class="route">
        <b>{method}</b> <code>{path}</code> <span class="faint">{file}</span>
      </p>
      {description === '' ? null : <p class="description">{withCode(description)}</p>}
      <ul class="chips" aria-label="What it is">
        <li>{kindText(kind)}</li>
        <li>{access === 'token' ? 'needs a token' : 'public'}</li>
        {kind === 'action' ? null : <li>{runsHere ? 'browser and server' : 'server only'}</li>}
      </ul>
      {access === 'token' && !hasToken ? <p class="note">{hintOf(fn)}</p> : null}
    </div>
  )
}

function kindText(kind: string): string {
  if (kind === 'action') return 'action: runs as a job'
  if (kind === 'graph') return 'graph of functions'
  return kind === 'inference' ? 'inference' : 'edge function'
}

/** A description with what stands between backticks as code. */
function withCode(text: string): readonly (string | JSX.Element)[] {
  return text.split('`').map((part, index) => (index % 2 === 0 ? part : <code key={index}>{part}</code>))
}

function hintOf({ kind, defaultModel }: CatalogFunction): string {
  const how = 'put a model token into the field at the top; “isoplex token --model ID” makes one.'
  if (kind === 'action') return `Without a token, jobs are submitted while developing only. Else, ${how}`
  if (kind === 'function')
    return `Without a token it answers while developing only. For another server, ${how}`
  return defaultModel === null
    ? `No token is set: ${how}`
    : `Without a token, the model “${defaultModel}” answers while developing. For another, ${how}`
}
