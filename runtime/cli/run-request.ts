import type { FunctionManifest, Manifest } from '../build/manifest.ts'
import { nearestName } from '../config/nearest.ts'
import { IsoplexError } from '../error/error.ts'
import type { Project } from './project.ts'
import { formatMistake } from './server-report.ts'

/** What `isoplex run` is asked for. */
export interface RunRequest {
  /** The function's name. */
  readonly name: string
  /** Its parameters, or its input; `undefined` where none are given. */
  readonly params: unknown
  readonly project: Project
  readonly model: string | null
  readonly tenant: string | null
  /** Where the server is; `null` leaves it to the kind of the function. */
  readonly url: string | null
  readonly tokenFile: string | null
  readonly timeoutMs: number | null
  /** Where the files of the job are put; `null` leaves them where they are. */
  readonly outputDirectory: string | null
  readonly json: boolean
  /** Fires when the command is interrupted. */
  readonly signal: AbortSignal
}

/** A name that is further away than this is no slip of the keyboard. */
const mostEdits = 3

/**
 * Finds a function by its name.
 *
 * @throws {IsoplexError} `BUILD_FAILED` where its file is broken, `ROUTE_NOT_FOUND` where there is none: it names the
 * nearest, or all.
 */
export function findFunction({ functions, broken }: Manifest, name: string): FunctionManifest {
  const found = functions.find((fn) => fn.name === name)
  if (found) return found
  const mistake = broken.find(({ file }) => file.replace(/\.[^./]+$/, '').endsWith(`/${name}`))
  if (mistake) {
    const { file, line } = mistake.place
    throw new IsoplexError('BUILD_FAILED', formatMistake(mistake), { details: { file, line } })
  }
  const names = functions.map((fn) => fn.name)
  const nearest = nearestName(name, names)
  const advice =
    nearest !== null && nearest.edits <= mostEdits
      ? `did you mean "${nearest.name}"?`
      : `there is ${names.join(', ') || 'none'}.`
  throw new IsoplexError('ROUTE_NOT_FOUND', `There is no function "${name}"; ${advice}`)
}
