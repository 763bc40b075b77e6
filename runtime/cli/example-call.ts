import type { FunctionManifest } from '../build/manifest.ts'

/** A call that works as it stands, as a line for a shell. */
export interface ExampleCall {
  /** The function's name. */
  readonly name: string
  readonly line: string
  /** What the file holds that the line names; `null` where it names none. */
  readonly body: string | null
}

/** Where the call goes. */
export interface ExampleTarget {
  /** What all routes begin with, without a slash at its end. */
  readonly baseUrl: string
  /** Whether functions that need a token take requests without one. */
  readonly trusting: boolean
  /** The path of the file for a function's body, as the shell finds it. */
  bodyPath(name: string): string
}

/** Bodies beyond this go into a file, so that the line stays one that people can read. */
const inlineCharacters = 200

/**
 * Finds a function that can be called without thought: the first inference function whose input schema has an
 * example, else the first function that needs no input. `null` where there is none.
 */
export function exampleCall(
  functions: readonly FunctionManifest[],
  target: ExampleTarget,
): ExampleCall | null {
  const callable = functions.filter((fn) => isCallable(fn, target.trusting))
  const fn = callable.find(({ kind }) => kind === 'inference') ?? callable[0]
  if (!fn) return null
  const url = shellWord(target.baseUrl + (fn.path === '/' ? '' : fn.path))
  const example = exampleOf(fn)
  const usual = example === undefined ? 'GET' : 'POST'
  const method = fn.methods.includes(usual) ? '' : ` -X ${fn.methods[0]}`
  const start = `curl${method} ${url}`
  if (example === undefined) return { name: fn.name, line: start, body: null }
  const json = JSON.stringify(example)
  const inline = json.length <= inlineCharacters
  const data = shellWord(inline ? json : `@${target.bodyPath(fn.name)}`)
  return {
    name: fn.name,
    line: `${start} -H 'content-type: application/json' -d ${data}`,
    body: inline ? null : json,
  }
}

function isCallable(fn: FunctionManifest, trusting: boolean): boolean {
  if (/[:*]/.test(fn.path) || isDemanding(fn)) return false
  if (fn.access === 'token' && !trusting) return false
  if (fn.model && fn.model.default === undefined) return false
  return fn.input === undefined || (exampleOf(fn) !== undefined && fn.accepts.includes('application/json'))
}

/** Whether the query must hold something. */
function isDemanding({ query }: FunctionManifest): boolean {
  const required = Array.isArray(query?.required) ? query.required : []
  const properties = (query?.properties ?? {}) as Readonly<Record<string, { readonly default?: unknown }>>
  return required.some((name: string) => properties[name]?.default === undefined)
}

function exampleOf({ input }: FunctionManifest): unknown {
  return Array.isArray(input?.examples) ? input.examples[0] : undefined
}

/** A text as one word of a POSIX shell. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
