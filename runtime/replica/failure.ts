import { type AnyIsoplexError, IsoplexError } from '../error/error.ts'
import type { CallHead } from './call-head.ts'
import type { RequestQueue } from './queue.ts'
import type { Ticket } from './ticket.ts'

/** What a client is asked to wait where nothing is known of the queue. */
const unknownWaitMs = 1_000
const shortestWaitMs = 100
const longestWaitMs = 60_000

/** Refuses a request because too many wait for the same. */
export function queueFull(queue: RequestQueue): AnyIsoplexError {
  return new IsoplexError(
    'QUEUE_FULL',
    `${queue.length} requests wait for "${queue.deployment.name}" already; try again soon.`,
    { details: { retryAfterMs: retryAfterMs(queue) } },
  )
}

/** Refuses a request because the server is about to end. */
export function draining(): AnyIsoplexError {
  return new IsoplexError(
    'DRAINING',
    'This server is stopping; send the request to another, or again soon.',
    { details: { retryAfterMs: unknownWaitMs } },
  )
}

/** Refuses a request because this server was started without replicas. */
export function replicasMissing({ deployment }: RequestQueue): AnyIsoplexError {
  return new IsoplexError(
    'REPLICAS_MISSING',
    `This server has no replicas that could run "${deployment.name}"; send the request where there are some.`,
  )
}

/** Refuses a request because there is no node that could answer it. */
export function nodesMissing(): AnyIsoplexError {
  return new IsoplexError(
    'REPLICAS_MISSING',
    'No node is there to answer; see that nodes run, and what /readyz says of them.',
  )
}

/** Ends the wait of a request whose time is up. */
export function deadlineExceeded({ work }: Ticket): AnyIsoplexError {
  const { name } = work.deployment
  const timeoutMs = work.timeoutMs ?? work.deployment.timeoutMs
  return new IsoplexError('DEADLINE_EXCEEDED', `"${name}" gave no answer within ${timeoutMs} ms.`)
}

/** Ends the work on a request that nobody waits for. */
export function callerGone(): AnyIsoplexError {
  return new IsoplexError('CANCELLED', 'The caller went away before the answer.')
}

/** Gives a request up: it kills its replica, or must not run twice. */
export function replicaCrashed({ work, deaths }: Ticket): AnyIsoplexError {
  const again = work.deployment.idempotent ? `It was tried ${deaths} times` : 'It is not to be run twice'
  return new IsoplexError(
    'REPLICA_CRASHED',
    `The replica died while "${work.deployment.name}" worked on this request. ${again}.`,
  )
}

/** Says of a function or its model that it does not come up; `what` it did instead. */
export function loadBroken({ deployment, model }: RequestQueue, what: string): AnyIsoplexError {
  const { name } = deployment
  if (!model) return new IsoplexError('FUNCTION_BROKEN', `Function "${name}" ${what} while it was set up.`)
  const { id } = model.info
  return new IsoplexError('MODEL_BROKEN', `Model "${id}" ${what} while function "${name}" loaded it.`, {
    details: { model: id },
  })
}

/** Refuses a request because its principal has as much as it may, or makes room for another's. */
export function shareExceeded(queue: RequestQueue): AnyIsoplexError {
  return new IsoplexError(
    'SHARE_EXCEEDED',
    `You have more requests waiting for "${queue.deployment.name}" than your share; send fewer at a time, or wait.`,
    { details: { retryAfterMs: retryAfterMs(queue) } },
  )
}

/** Refuses a request because such requests have ended replicas. */
export function quarantined({ deployment }: RequestQueue, remainingMs: number): AnyIsoplexError {
  return new IsoplexError(
    'QUARANTINED',
    `Requests of yours have ended replicas of "${deployment.name}" several times; none is taken for a while.`,
    { details: { retryAfterMs: Math.ceil(remainingMs) } },
  )
}

/** When a queue will have served what waits now, as far as is known: within a tenth of a second and a minute. */
function retryAfterMs(queue: RequestQueue): number {
  const expectedMs = queue.pace.waitMs(queue.length) ?? unknownWaitMs
  return Math.ceil(Math.min(longestWaitMs, Math.max(shortestWaitMs, expectedMs)))
}

/** Refuses a request because the system gave no thread for its function. */
export function noThread({ deployment }: RequestQueue): AnyIsoplexError {
  return new IsoplexError(
    'QUEUE_FULL',
    `The server has no room for another thread of "${deployment.name}" now; try again soon.`,
    { details: { retryAfterMs: unknownWaitMs } },
  )
}

/** Refuses a request because what its function needs could not be brought to the machine that was to run it. */
export function noFiles({ deployment }: RequestQueue): AnyIsoplexError {
  return new IsoplexError(
    'FETCH_FAILED',
    `What "${deployment.name}" needs could not be brought to the machine that was to run it; the log says why.`,
    { details: { reason: 'content' } },
  )
}

/** Refuses a load because every place that it could take is pinned. */
export function roomTaken({ deployment, model }: RequestQueue): AnyIsoplexError {
  const what = model ? `Model "${model.info.id}"` : 'It'
  return new IsoplexError(
    'ROOM_TAKEN',
    `${what} has no room in function "${deployment.name}": pinned models hold every place; unpin one or raise the limits.`,
  )
}

/** Refuses a model because it is over a limit of bytes by itself. */
export function modelTooLarge(
  { deployment, model }: RequestQueue,
  bytes: number,
  limitBytes: number,
): AnyIsoplexError {
  const id = model?.info.id ?? ''
  return new IsoplexError(
    'MODEL_TOO_LARGE',
    `Model "${id}" of function "${deployment.name}" takes ${bytes} bytes, and ${limitBytes} are the limit for it.`,
    { details: { model: id, bytes, limitBytes } },
  )
}

/** Refuses a call of a function that is not there. */
export function functionNotFound(name: string): AnyIsoplexError {
  return new IsoplexError(
    'FUNCTION_NOT_FOUND',
    `There is no function "${name}" to call; it may have been renamed, or its file does not compile.`,
    { details: { function: name } },
  )
}

/** Refuses a call that is made for nobody. */
export function parentGone({ function: name, parent }: CallHead): AnyIsoplexError {
  const why = parent === 0 ? 'outside of a request' : 'for a request that nobody waits for any more'
  return new IsoplexError('CANCELLED', `"${name}" was called ${why}.`)
}
