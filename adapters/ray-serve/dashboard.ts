import { IsoplexError } from '../../runtime/error/error.ts'

/** What is asked of Ray's dashboard. */
export interface DashboardQuestion {
  readonly url: string
  readonly init: RequestInit
  /** How long the answer may take. */
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
  /** What is said where the signal fires. */
  readonly interrupted: string
  /** Makes the error of a dashboard that does not answer. */
  readonly unreachable: (reason: string, cause: unknown) => IsoplexError<'CLUSTER_UNREACHABLE'>
}

/** The dashboard's answer, whatever its status. @throws {IsoplexError} `CLUSTER_UNREACHABLE`, `CANCELLED` */
export async function askDashboard(question: DashboardQuestion): Promise<Response> {
  const { url, init, timeoutMs, signal, interrupted, unreachable } = question
  const timeout = AbortSignal.timeout(timeoutMs)
  try {
    return await fetch(url, { ...init, signal: signal ? AbortSignal.any([signal, timeout]) : timeout })
  } catch (cause) {
    if (signal?.aborted) throw new IsoplexError('CANCELLED', interrupted, { cause })
    if (timeout.aborted) throw unreachable(`no answer within ${timeoutMs / 1_000} s`, cause)
    throw unreachable(cause instanceof Error ? cause.message : String(cause), cause)
  }
}
