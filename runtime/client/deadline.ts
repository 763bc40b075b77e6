import { IsoplexError } from '../error/error.ts'

/** How long one call may take, and who may end it. */
export interface Deadline {
  /** Fires with `CANCELLED` when the caller ends the call, with `DEADLINE_EXCEEDED` when its time is over. */
  readonly signal: AbortSignal
  /** How long is left, in milliseconds; infinite where there is no limit. */
  leftMs(): number
  /** Lets the call go on for as long as it takes; the caller can still end it. */
  lift(): void
  /** Stops the time and lets go of the caller's signal. */
  end(): void
}

/** Starts the time of a call. */
export function startDeadline(caller: AbortSignal | undefined, timeoutMs: number | undefined): Deadline {
  const controller = new AbortController()
  const endsAtMs = timeoutMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs
  const cancel = (): void => {
    const cause: unknown = caller?.reason
    controller.abort(new IsoplexError('CANCELLED', 'The caller ended this call.', { cause }))
  }
  const timer =
    timeoutMs === undefined ? undefined : setTimeout(() => expire(controller, timeoutMs), timeoutMs)
  if (caller?.aborted) cancel()
  else caller?.addEventListener('abort', cancel)
  return {
    signal: controller.signal,
    leftMs: () => endsAtMs - performance.now(),
    lift: () => clearTimeout(timer),
    end() {
      clearTimeout(timer)
      caller?.removeEventListener('abort', cancel)
    },
  }
}

function expire(controller: AbortController, timeoutMs: number): void {
  const message = `No answer within ${timeoutMs} ms; give "timeoutMs" more, or try again later.`
  controller.abort(new IsoplexError('DEADLINE_EXCEEDED', message))
}
