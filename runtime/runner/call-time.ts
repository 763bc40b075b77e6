import type { CallOptions } from '../define/handle.ts'
import { assertOptions } from '../define/options.ts'
import { IsoplexError } from '../error/error.ts'

/** How long one call may take, and who may end it. */
export interface CallTime {
  /**
   * Fires with the reason of whoever ends the call: its caller, or whom the caller's own request comes from; with
   * `DEADLINE_EXCEEDED` when its time is over.
   */
  readonly signal: AbortSignal
  /** Lets the call go on for as long as it takes; it can still be ended. */
  lift(): void
  /** Stops the time and lets go of the signals. */
  end(): void
}

/**
 * Starts the time of a call that is made in the name of a request.
 *
 * @throws {TypeError} where `timeoutMs` is no time.
 */
export function startCallTime(request: AbortSignal, { signal, timeoutMs }: CallOptions): CallTime {
  if (signal === undefined && timeoutMs === undefined) return { signal: request, lift: pass, end: pass }
  if (timeoutMs !== undefined) assertOptions({ timeoutMs })
  const controller = new AbortController()
  const end = new AbortController()
  for (const source of signal === undefined ? [request] : [request, signal]) {
    if (source.aborted) controller.abort(source.reason)
    else source.addEventListener('abort', () => controller.abort(source.reason), { signal: end.signal })
  }
  const timer = timeoutMs === undefined ? undefined : setTimeout(expire, timeoutMs)
  return {
    signal: controller.signal,
    lift: () => clearTimeout(timer),
    end() {
      clearTimeout(timer)
      end.abort()
    },
  }

  function expire(): void {
    const message = `The call was not answered within ${timeoutMs} ms, which its caller has set as "timeoutMs".`
    controller.abort(new IsoplexError('DEADLINE_EXCEEDED', message))
  }
}

function pass(): void {
  // Nothing was started.
}
