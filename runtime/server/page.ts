import type { DeployedFunction, FunctionManifest, JsonSchema, Manifest } from '../build/manifest.ts'
import { type AppIdentity, templateOf } from './document.ts'

const styles = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; --line: color-mix(in srgb, currentColor 20%, transparent) }
body { max-width: 56rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin: 0 }
article { border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; margin: 1rem 0 }
code, pre { font: 14px/1.45 ui-monospace, monospace } pre { overflow-x: auto; padding: .75rem; border: 1px solid var(--line); border-radius: .25rem }
.method { font-weight: 700 } .note { opacity: .75 } summary { cursor: pointer }
`

/** What the page may do: show itself with its own styles. It loads nothing, runs nothing, sends nothing. */
export const pagePolicy = [
  "default-src 'none'",
  `style-src 'sha256-${new Bun.CryptoHasher('sha256').update(styles).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** The documentation of an app as one page without scripts, readable at any width and in light or dark. */
export function documentationPage(manifest: Manifest, identity: AppIdentity, baseUrl: string): string {
  const articles = manifest.functions.map((fn, index) => articleOf(fn, `f${index}`, identity, baseUrl))
  const broken = manifest.broken.map(
    ({ place, reason }) =>
      html`<li><code>${place.file}${place.line === null ? '' : `:${place.line}`}</code> ${reason}</li>`,
  )
  return html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${identity.appName}</title><style>${raw(styles)}</style></head>
<body>
<header><h1>${identity.appName}</h1>
<p>${manifest.functions.length} functions. The same as data: <a href="/-/openapi.json">OpenAPI document</a>, <a href="/-/routes">routes</a>. For operators: <code>/healthz</code>, <code>/readyz</code>, <code>/metrics</code>, <code>/-/replicas</code>, <code>/-/deployments</code>, <code>/-/models</code>, <code>/-/jobs</code>, <code>/-/audit</code>.</p></header>
<main>${raw(broken.length > 0 ? html`<section><h2>Files that do not build</h2><ul>${raw(broken.join(''))}</ul></section>` : '')}
${raw(articles.join('\n'))}</main>
</body></html>`
}

const kindNames: Readonly<Record<FunctionManifest['kind'], string>> = {
  function: 'Edge function',
  inference: 'Inference function',
  action: 'Action',
  graph: 'Graph',
}

const jobNote =
  '<p>It answers with a job: <code>GET</code> its <code>Location</code>, or send <code>Prefer: wait=60</code>.</p>\n'

function articleOf(fn: DeployedFunction, id: string, { routePrefix }: AppIdentity, baseUrl: string): string {
  const path = routePrefix + templateOf(fn)
  const isAction = fn.kind === 'action'
  const needs = fn.access === 'token' ? 'needs a model token' : 'public'
  return html`<article aria-labelledby="${id}">
<h2 id="${id}"><span class="method">${fn.methods.join(', ')}</span> <code>${path}</code></h2>
<p>${fn.description ?? ''}</p>
${raw(isAction ? jobNote : '')}<p class="note">${kindNames[fn.kind]}, ${needs}, <code>${fn.file}</code>${raw(deploymentNote(fn))}</p>
<pre>${curlLine(fn, baseUrl + path)}</pre>
${raw(graphBlock(fn))}${raw(schemaBlock('Path parameters', fn.params))}${raw(schemaBlock('Query', fn.query))}${raw(schemaBlock(isAction ? 'Parameters' : 'Input', fn.input))}${raw(schemaBlock(isAction ? 'Result' : 'Output', fn.output))}
</article>`
}

/** A line for a shell that calls the function; what a person must fill in stands in capitals. */
export function curlLine(fn: FunctionManifest, url: string): string {
  const [method = 'GET'] = fn.methods
  const token = fn.access === 'token' ? ['-H "serve_multiplexed_model_id: $TOKEN"'] : []
  const [mediaType] = fn.accepts
  const body = mediaType === undefined ? [] : [`-H 'content-type: ${mediaType}'`, "-d 'BODY'"]
  return ['curl', '-X', method, ...token, ...body, `'${url}'`].join(' ')
}

function deploymentNote({ name, deploymentOf }: DeployedFunction): string {
  return deploymentOf === undefined
    ? ''
    : html`, deployment <code>${name}</code> of <code>${deploymentOf}</code>`
}

function graphBlock({ graph }: FunctionManifest): string {
  const nodes = graph?.nodes.map(
    ({ name, function: called, after }) =>
      html`<li><code>${name}</code>${raw(called === null || called === name ? '' : html` (<code>${called}</code>)`)}${after.length === 0 ? '' : ` after ${after.join(', ')}`}</li>`,
  )
  return nodes ? html`<details><summary>Nodes</summary><ul>${raw(nodes.join(''))}</ul></details>` : ''
}

function schemaBlock(title: string, schema: JsonSchema | undefined): string {
  return schema
    ? html`<details><summary>${title}</summary><pre>${JSON.stringify(schema, null, 2)}</pre></details>`
    : ''
}

/** Text that is HTML already. */
interface RawHtml {
  readonly html: string
}

function raw(text: string): RawHtml {
  return { html: text }
}

/** HTML of a template; everything that is not `raw` is escaped. */
function html(parts: TemplateStringsArray, ...values: readonly (string | number | RawHtml)[]): string {
  return parts.reduce((whole, part, index) => {
    const value = values[index - 1] ?? ''
    return whole + (typeof value === 'object' ? value.html : escapeHtml(String(value))) + part
  })
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
