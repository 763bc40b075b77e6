import { mkdir, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { FunctionManifest, Manifest } from '../build/manifest.ts'

/** Bodies beyond this go into a file, so that the line stays one that people can read. */
const inlineCharacters = 200

/**
 * A line for a shell that calls a function as it stands: the first inference function whose input schema has
 * an example, else the first function that needs no input. A long body is written to a file below the state
 * folder. `null` where no function can be called without thought.
 */
export async function writeExampleCall(
  { functions }: Manifest,
  stateDirectory: string,
  baseUrl: string,
): Promise<string | null> {
  const callable = functions.filter(isCallable)
  const fn = callable.find(({ kind }) => kind === 'inference') ?? callable[0]
  if (!fn) return null
  const url = `${baseUrl}${fn.path === '/' ? '' : fn.path}`
  const example = exampleOf(fn)
  if (example === undefined) return `curl ${url}`
  const body = await bodyArgument(fn.name, JSON.stringify(example), stateDirectory)
  return `curl ${url} -H 'content-type: application/json' -d ${body}`
}

function isCallable(fn: FunctionManifest): boolean {
  const tokenless = fn.access === 'public' || fn.model === undefined || fn.model.default !== undefined
  const hasInput = fn.input === undefined || exampleOf(fn) !== undefined
  return tokenless && hasInput && !/[:*]/.test(fn.path)
}

function exampleOf({ input }: FunctionManifest): unknown {
  return Array.isArray(input?.examples) ? input.examples[0] : undefined
}

async function bodyArgument(name: string, json: string, stateDirectory: string): Promise<string> {
  if (json.length <= inlineCharacters) return `'${json.replaceAll("'", "'\\''")}'`
  const directory = join(stateDirectory, 'examples')
  const path = join(directory, `${name.replaceAll('/', '--')}.json`)
  await mkdir(directory, { recursive: true })
  await writeFile(path, json)
  return `@${relative(process.cwd(), path)}`
}
