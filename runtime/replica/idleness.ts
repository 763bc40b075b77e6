import { isFurther } from './occupancy.ts'
import type { RunnerLink } from './runner-link.ts'

/** For how long runners are kept unused. */
export interface IdlePatience {
  readonly runnerIdleMs: number
  /** Whether the model of a runner is to stay. */
  isPinned(link: RunnerLink): boolean
}

/** How long a further runner of a model is kept unused. */
const furtherIdle = { share: 0.1, leastMs: 1_000 } as const

/** Why a runner that nobody uses is to go; `null` where it is to stay. A pin keeps a model, and not every copy of it. */
export function idleReasonOf(
  link: RunnerLink,
  nowMs: number,
  { runnerIdleMs, isPinned }: IdlePatience,
): 'idle' | 'shrink' | null {
  if (link.state !== 'active' || !link.idle) return null
  const unusedMs = nowMs - link.lastUsedMs
  const furtherMs = Math.max(furtherIdle.leastMs, runnerIdleMs * furtherIdle.share)
  if (isFurther(link) && unusedMs > furtherMs) return 'shrink'
  return unusedMs > runnerIdleMs && !isPinned(link) ? 'idle' : null
}
