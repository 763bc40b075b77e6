import { Database } from 'bun:sqlite'
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { IsoplexError } from '../error/error.ts'
import { makeKeyFile, readKeyFile, replaceKeyFile } from './key-file.ts'
import { formatKeyLines, type KeyLine, maxProjectKeys, parseKeyLines } from './key-line.ts'
import {
  createProjectKey,
  idOfSecret,
  type ProjectKey,
  type ProjectKeys,
  secretBytes,
} from './project-key.ts'

/** What can be told of a project's key. */
export interface ProjectKeyFacts {
  /** The `kid` of its tokens. */
  readonly id: string
  /** Whether new tokens are made with it: so they are with one key, the first. */
  readonly signs: boolean
  /** The longest life of a token that was made with it, in seconds. */
  readonly lifeSeconds: number
  /** When it stops to count, in milliseconds since 1970; `null` for never. */
  readonly untilMs: number | null
}

/** How long a retired key goes on to verify. */
export interface RotationOptions {
  /** Exactly so long, in seconds. @default as long as its tokens may live, and at least `tokenLifeSeconds` */
  readonly keepSeconds?: number
  /** The life of the tokens that are made where nobody asks for another, in seconds. */
  readonly tokenLifeSeconds: number
  /** The clock, in milliseconds since 1970. @default Date.now */
  readonly now?: () => number
}

type Lines = readonly [KeyLine, ...KeyLine[]]

const secretFile = { secret: true, maxBytes: 8192 } as const
const lockTimeoutMs = 10_000
// For the token that was just being made, and for clocks that differ.
const slackSeconds = 60

/**
 * Loads the keys of a project, the file `key` in its state folder; makes both where they are missing. Any number of
 * processes that start at once agree on one key, and none ever sees half of the file. Keys that have ended are left
 * out. The file is small: to follow its changes, load it anew.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where others may use the file, it holds no keys, or cannot be made.
 */
export async function loadProjectKeys(
  stateDirectory: string,
  { now = Date.now }: { readonly now?: () => number } = {},
): Promise<ProjectKeys> {
  const [first, ...others] = readLines(stateDirectory)
  const alive = others.filter((line) => isAlive(line, now()))
  const [signing, ...verifying] = await Promise.all([toProjectKey(first), ...alive.map(toProjectKey)])
  return Object.freeze([signing, ...verifying])
}

/**
 * The key to make a token of this life with. The file notes the longest life, so that a rotation knows how long the
 * key must go on to verify.
 *
 * @throws {IsoplexError} `CONFIG_INVALID`, as {@link loadProjectKeys}.
 */
export async function loadSigningKey(stateDirectory: string, expiresInSeconds: number): Promise<ProjectKey> {
  const noted = (lines: Lines): boolean => lines[0].lifeSeconds >= expiresInSeconds
  let lines = readLines(stateDirectory)
  if (!noted(lines)) {
    lines = changeLines(stateDirectory, ([first, ...others]) => [
      { ...first, lifeSeconds: Math.max(first.lifeSeconds, expiresInSeconds) },
      ...others,
    ])
  }
  return toProjectKey(lines[0])
}

/**
 * The keys of a project, the one that signs first.
 *
 * @throws {IsoplexError} `CONFIG_INVALID`, as {@link loadProjectKeys}.
 */
export function listProjectKeys(stateDirectory: string, nowMs = Date.now()): readonly ProjectKeyFacts[] {
  return toFacts(readLines(stateDirectory).filter((line) => isAlive(line, nowMs)))
}

/**
 * Makes a new key that signs from now on. The one that signed until now goes on to verify as long as its tokens may
 * live; those that have ended are dropped. Rotations at the same time follow one another, and each adds a key.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` as {@link loadProjectKeys}, and where there are too many keys.
 */
export function rotateProjectKeys(
  stateDirectory: string,
  { keepSeconds, tokenLifeSeconds, now = Date.now }: RotationOptions,
): readonly ProjectKeyFacts[] {
  const lines = changeLines(stateDirectory, ([first, ...others]) => {
    const keptSeconds = keepSeconds ?? Math.max(first.lifeSeconds, tokenLifeSeconds) + slackSeconds
    const retired = { ...first, untilSeconds: Math.ceil(now() / 1000) + keptSeconds }
    const kept = [retired, ...others].filter((line) => isAlive(line, now()))
    if (kept.length >= maxProjectKeys) {
      const message = `There are ${kept.length} keys already; remove one, as "isoplex keys list" shows them.`
      throw new IsoplexError('CONFIG_INVALID', message)
    }
    return [createLine(), ...kept]
  })
  return toFacts(lines)
}

/**
 * Removes a key: its tokens end at once, wherever the file is loaded anew.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where there is no such key, or it is the one that signs.
 */
export function removeProjectKey(stateDirectory: string, id: string): readonly ProjectKeyFacts[] {
  const lines = changeLines(stateDirectory, ([first, ...others]) => {
    if (first.id === id) {
      const message = `The key ${id} signs the tokens of this project; run "isoplex keys rotate" before you remove it.`
      throw new IsoplexError('CONFIG_INVALID', message)
    }
    if (!others.some((line) => line.id === id)) {
      throw new IsoplexError('CONFIG_INVALID', 'There is no key of that id; "isoplex keys list" shows them.')
    }
    return [first, ...others.filter((line) => line.id !== id)]
  })
  return toFacts(lines)
}

function keyPathOf(stateDirectory: string): string {
  return join(stateDirectory, 'key')
}

function readLines(stateDirectory: string): Lines {
  const path = keyPathOf(stateDirectory)
  return explaining(path, () => {
    const text = readKeyFile(path, secretFile)
    if (text !== null) return parseKeyLines(text, path)
    mkdirSync(stateDirectory, { recursive: true, mode: 0o700 })
    makeKeyFile(path, formatKeyLines([createLine()]))
    return parseKeyLines(readKeyFile(path, secretFile) ?? '', path)
  })
}

/** One change at a time among all processes: the lock is the system's, and ends with whoever holds it. */
function changeLines(stateDirectory: string, change: (lines: Lines) => Lines): Lines {
  readLines(stateDirectory)
  const path = keyPathOf(stateDirectory)
  return explaining(path, () => {
    using lock = new Database(`${path}.lock`, { create: true })
    lock.run(`PRAGMA busy_timeout = ${lockTimeoutMs}`)
    lock.run('BEGIN EXCLUSIVE')
    const lines = change(readLines(stateDirectory))
    replaceKeyFile(path, formatKeyLines(lines))
    return lines
  })
}

function explaining<Result>(path: string, task: () => Result): Result {
  try {
    return task()
  } catch (cause) {
    if (cause instanceof IsoplexError) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new IsoplexError('CONFIG_INVALID', `The key ${path} cannot be had: ${reason}.`, { cause })
  }
}

function createLine(): KeyLine {
  const secret = Uint8Array.from(randomBytes(secretBytes))
  return { id: idOfSecret(secret), secret, lifeSeconds: 0, untilSeconds: null }
}

function isAlive({ untilSeconds }: KeyLine, nowMs: number): boolean {
  return untilSeconds === null || nowMs < untilSeconds * 1000
}

function toProjectKey({ secret, untilSeconds }: KeyLine): Promise<ProjectKey> {
  return createProjectKey(secret, untilSeconds === null ? Number.POSITIVE_INFINITY : untilSeconds * 1000)
}

function toFacts(lines: readonly KeyLine[]): readonly ProjectKeyFacts[] {
  return lines.map(({ id, lifeSeconds, untilSeconds }, index) => ({
    id,
    signs: index === 0,
    lifeSeconds,
    untilMs: untilSeconds === null ? null : untilSeconds * 1000,
  }))
}
