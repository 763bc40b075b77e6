import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { requireOrSkip } from './requirement.ts'

/** A real Node of version 20 or later; `null` where there is none. What Bun calls `node` in its own scripts is none. */
export const nodePath: string | null = findNode()

/** Whether there is a {@link nodePath}; where there is none, the reason is printed. */
export const hasNode: boolean = requireOrSkip(
  'node',
  nodePath === null ? 'there is no node of version 20 or later' : null,
)

function findNode(): string | null {
  const candidates = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'node'))
  return candidates.find((path) => existsSync(path) && isNode(path)) ?? null
}

function isNode(path: string): boolean {
  const { stdout } = Bun.spawnSync([path, '-p', 'process.versions.bun ? 0 : parseInt(process.versions.node)'])
  return Number(stdout.toString()) >= 20
}
