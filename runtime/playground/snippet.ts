import { type Draft, urlOf } from './call.ts'
import type { CatalogFunction } from './catalog.ts'

/** Inputs that are longer as JSON stand in a file beside the lines. */
const inlineCharacters = 6_000

/** The file that lines name where the input is too long to stand in them. */
export const inputFile = 'input.json'

/** What lines of code need to know of a call. */
export interface Snippet {
  readonly fn: CatalogFunction
  readonly draft: Draft
  readonly baseUrl: string
  /** Whether a token is sent; its text is never in the lines. */
  readonly hasToken: boolean
  /** Where the client is to run it. */
  readonly where: 'auto' | 'browser' | 'server'
}

/** Whether the input stands in a file of its own beside the lines. */
export function needsFile({ draft }: Snippet): boolean {
  return jsonOf(draft).length > inlineCharacters
}

/** The call as a line for a POSIX shell; the token is the variable `TOKEN`. */
export function curlOf(snippet: Snippet): string {
  const { fn, draft, baseUrl, hasToken } = snippet
  const parts = [`curl ${quote(baseUrl + urlOf(fn, draft))}`]
  const sendsInput = fn.schemas.input !== null && draft.input !== undefined
  if (fn.method !== (sendsInput ? 'POST' : 'GET')) parts.push(`-X ${fn.method}`)
  if (hasToken) parts.push('-H "serve_multiplexed_model_id: $TOKEN"')
  if (sendsInput) {
    parts.push("-H 'content-type: application/json'")
    parts.push(needsFile(snippet) ? `-d @${inputFile}` : `-d ${quote(jsonOf(draft))}`)
  }
  return parts.join(' \\\n  ')
}

/** The call in TypeScript, with the client that this page uses. */
export function typescriptOf(snippet: Snippet): string {
  const { fn, baseUrl, hasToken, where } = snippet
  const isLocal = where !== 'server' && fn.runsHere
  const inFile = needsFile(snippet)
  const options = [
    `  baseUrl: ${JSON.stringify(baseUrl)},`,
    ...(hasToken ? ['  token, // by "isoplex token --model ID"'] : []),
    ...(isLocal ? ['  local: webEngine(),'] : []),
  ]
  return [
    `import { createClient${isLocal ? ', webEngine' : ''} } from 'isoplex/client'`,
    ...(inFile ? [`import input from './${inputFile}' with { type: 'json' }`] : []),
    '',
    'const client = createClient({',
    ...options,
    '})',
    ...(fn.kind === 'action'
      ? [
          `const job = await client${memberOf(fn.name)}.${submitOf(snippet)}`,
          'const result = await job.result()',
        ]
      : [`const { output, ran } = await client${memberOf(fn.name)}.${callOf(snippet, isLocal)}`]),
  ].join('\n')
}

function submitOf(snippet: Snippet): string {
  const { params, input } = snippet.draft
  const given = [
    ...(input === undefined ? [] : [needsFile(snippet) ? 'input' : jsonOf(snippet.draft)]),
    ...(params === undefined ? [] : [`{ params: ${JSON.stringify(params)} }`]),
  ]
  return `submit(${input === undefined && params !== undefined ? 'undefined, ' : ''}${given.join(', ')})`
}

/** Inference functions have `infer(input, options)`, others `call(options)`. */
function callOf(snippet: Snippet, isLocal: boolean): string {
  const { fn, draft, where } = snippet
  const input = draft.input === undefined ? null : needsFile(snippet) ? 'input' : jsonOf(draft)
  const takesInput = fn.kind === 'inference'
  const options = [
    ...(takesInput || input === null ? [] : [input === 'input' ? input : `input: ${input}`]),
    ...(draft.params === undefined ? [] : [`params: ${JSON.stringify(draft.params)}`]),
    ...(draft.query === undefined ? [] : [`query: ${JSON.stringify(draft.query)}`]),
    ...(isLocal ? [`where: '${where}'`] : []),
  ]
  const given = options.length === 0 ? [] : [`{ ${options.join(', ')} }`]
  return takesInput ? `infer(${[input ?? 'undefined', ...given].join(', ')})` : `call(${given.join('')})`
}

function memberOf(name: string): string {
  return /^[a-z_$][\w$]*$/i.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`
}

/** What a form holds is never changed, and may be megabytes that several lines need. */
const texts = new WeakMap<object, string>()

function jsonOf({ input }: Draft): string {
  if (typeof input !== 'object' || input === null) return JSON.stringify(input) ?? ''
  const known = texts.get(input) ?? JSON.stringify(input)
  texts.set(input, known)
  return known
}

/** A word of a POSIX shell in which nothing is expanded. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
