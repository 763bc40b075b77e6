import { IsoplexError } from '../error/error.ts'
import { splitShellWords } from './shell-words.ts'

/** What the runtime environment of a plugin is made from. */
export interface RuntimeEnvFacts {
  /** The text of `requirements.txt`; `null` where there is none. */
  readonly requirements: string | null
  /** What `config.yaml` holds, parsed; whatever cannot be read there counts for nothing. */
  readonly configFile?: unknown
}

/** A runtime environment in Ray's words; empty where the plugin needs no packages. */
export type RuntimeEnv = Readonly<Record<string, unknown>>

/** As many as Ray may reasonably be told of. */
const mostLines = 10_000

/**
 * The runtime environment in Ray's words, as `get_runtime_env` of the Synapse SDK makes it: the packages of
 * `requirements.txt`, whose lines that begin with `-` are options, installed by pip, or by uv where `config.yaml` says
 * `package_manager: uv`. Comments and empty lines count for nothing; without a package there is no environment.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` naming the line that cannot be read.
 */
export function getRuntimeEnv({ requirements, configFile }: RuntimeEnvFacts): RuntimeEnv {
  const lines = (requirements ?? '').split(/\r\n?|\n/)
  if (lines.length > mostLines) {
    throw new IsoplexError('CONFIG_INVALID', `requirements.txt has more than ${mostLines} lines.`)
  }
  const entries = lines
    .map((line, index) => ({ text: withoutComment(line), place: index + 1 }))
    .filter(({ text }) => text !== '')
  const packages = entries.filter(({ text }) => !text.startsWith('-')).map(({ text }) => text)
  if (packages.length === 0) return {}
  const options = entries.filter(({ text }) => text.startsWith('-')).flatMap(wordsOf)
  return isManagedByUv(configFile)
    ? { uv: { packages, uv_pip_install_options: [...options, '--no-cache'] } }
    : { pip: { packages, pip_install_options: [...options, '--upgrade'] } }
}

/** A line as pip reads it: a comment begins at a `#` at the start, or after a blank; URLs hold others. */
function withoutComment(line: string): string {
  return line.replace(/(?:^|\s)#.*$/, '').trim()
}

function wordsOf({ text, place }: { readonly text: string; readonly place: number }): readonly string[] {
  try {
    return splitShellWords(text)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new IsoplexError('CONFIG_INVALID', `Line ${place} of requirements.txt cannot be read: ${reason}`, {
      cause,
    })
  }
}

function isManagedByUv(configFile: unknown): boolean {
  return (
    typeof configFile === 'object' &&
    configFile !== null &&
    'package_manager' in configFile &&
    configFile.package_manager === 'uv'
  )
}
