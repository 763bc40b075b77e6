import type { RunnerLink } from './runner-link.ts'

/** A runner that was used so lately is worth a successor. */
const recentMs = 60_000

/**
 * What becomes of a runner whose replica leaves: `succeed` (another is to be started in its place), `wait` (its
 * successor comes up, and it serves meanwhile), `go` (its successor serves, or it is worth none).
 */
export type Relocation = 'succeed' | 'wait' | 'go'

/** Those that serve in a replica that leaves, those first that were used last. */
export function leavingOf(links: readonly RunnerLink[]): RunnerLink[] {
  return links
    .filter(({ state, replica }) => state === 'active' && replica.state === 'leaving')
    .toSorted((a, b) => b.lastUsedMs - a.lastUsedMs)
}

/** Says what becomes of a runner whose replica leaves. */
export function relocationOf(
  link: RunnerLink,
  { pinned, nowMs }: { readonly pinned: boolean; readonly nowMs: number },
): Relocation {
  let relocation: Relocation | null = null
  for (const other of link.queue.links) {
    if (other.replica.state === 'leaving' || other.state === 'retiring') continue
    if (other.state === 'active') return 'go'
    relocation = 'wait'
  }
  const wanted = pinned || link.queue.length > 0 || link.lastUsedMs >= nowMs - recentMs
  return relocation ?? (wanted ? 'succeed' : 'go')
}
