import { IsoplexError } from '../../runtime/error/error.ts'
import { createExclusion, type Exclusion } from '../onnx/exclusion.ts'
import { describeFailure } from '../onnx/failure.ts'

/**
 * The state that every session of a page or worker shares: whose turn it is, and whether what computes is gone.
 * Two calls of ONNX Runtime at once freeze the page where one of them is on webgpu, or corrupt the other's memory.
 */
export interface Realm {
  /**
   * Does a piece of work at its turn. Once the realm is lost, whatever waits, is under way or comes later is
   * rejected with `DEVICE_LOST`, whether or not the work itself ever settles.
   */
  readonly exclusive: Exclusion
  /** Declares the realm lost, once: only another one can compute. */
  lose(reason: string): void
  /** Calls a listener with the reason at the loss; at once where it has happened. */
  onLost(listener: (reason: string) => void): void
}

/**
 * Makes the state of a realm.
 *
 * @param mayBeLost looks, after work has failed, whether that was because of a loss; it may call `lose`
 */
export function createRealm(mayBeLost: (error: unknown) => Promise<void> = async () => undefined): Realm {
  const inTurn = createExclusion()
  const waiting = new Set<(error: unknown) => void>()
  const listeners: ((reason: string) => void)[] = []
  let lost: IsoplexError<'DEVICE_LOST'> | undefined
  let lostReason = ''

  const attempt = async <Value>(work: () => Promise<Value>): Promise<Value> => {
    if (lost !== undefined) throw lost
    try {
      return await work()
    } catch (error) {
      if (isTrap(error)) realm.lose(`ONNX Runtime broke off: ${describeFailure(error)}.`)
      else await mayBeLost(error)
      throw lost ?? error
    }
  }
  const realm: Realm = {
    exclusive: (work) =>
      new Promise((resolve, reject) => {
        if (lost !== undefined) {
          reject(lost)
          return
        }
        waiting.add(reject)
        inTurn(() => attempt(work))
          .then(resolve, reject)
          .finally(() => waiting.delete(reject))
      }),
    lose(reason) {
      if (lost !== undefined) return
      lostReason = reason
      lost = new IsoplexError('DEVICE_LOST', `The model can no longer be computed here. ${reason}`)
      for (const reject of waiting) reject(lost)
      for (const listener of listeners.splice(0)) listener(reason)
    },
    onLost(listener) {
      if (lost === undefined) listeners.push(listener)
      else listener(lostReason)
    },
  }
  return realm
}

/** Whether wasm code broke off: its memory and its stack are then in no state to go on with. */
function isTrap(error: unknown): error is WebAssembly.RuntimeError {
  return error instanceof WebAssembly.RuntimeError
}
