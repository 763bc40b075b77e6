import { type AnyIsoplexError, IsoplexError } from '../../runtime/error/error.ts'
import { createExclusion, type Exclusion } from '../onnx/exclusion.ts'
import { describeFailure } from '../onnx/failure.ts'

/**
 * The state that every session of a page or worker shares: whose turn it is, and whether what computes is gone.
 * Two calls of ONNX Runtime at once freeze the page where one of them is on webgpu, or corrupt the other's memory.
 */
export interface Realm {
  /**
   * Does a piece of work at its turn. Once the realm is lost, whatever waits, is under way or comes later is
   * rejected with the error of the loss, whether or not the work itself ever settles.
   */
  readonly exclusive: Exclusion
  /**
   * Declares the realm lost, once: only another one can compute.
   *
   * @param error what everything is rejected with; where absent, `DEVICE_LOST` with the reason
   * @returns the error of the loss
   */
  lose(reason: string, error?: AnyIsoplexError): AnyIsoplexError
  /** Calls a listener with the error of the loss; at once where it has happened. */
  onLost(listener: (error: AnyIsoplexError) => void): void
}

/** Makes the state of a realm. A trap in wasm code loses it: its memory is in no state to go on with. */
export function createRealm(): Realm {
  const inTurn = createExclusion()
  const waiting = new Set<(error: unknown) => void>()
  const listeners = new Set<(error: AnyIsoplexError) => void>()
  let loss: AnyIsoplexError | undefined

  const lose: Realm['lose'] = (reason, error = deviceLost(reason)) => {
    if (loss !== undefined) return loss
    loss = error
    for (const reject of waiting) reject(error)
    for (const listener of listeners) listener(error)
    return error
  }
  const attempt = async <Value>(work: () => Promise<Value>): Promise<Value> => {
    if (loss !== undefined) throw loss
    try {
      return await work()
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) {
        throw lose(`ONNX Runtime broke off: ${describeFailure(error)}.`)
      }
      throw error
    }
  }
  return {
    lose,
    exclusive: (work) =>
      new Promise((resolve, reject) => {
        waiting.add(reject)
        inTurn(() => attempt(work))
          .then(resolve, reject)
          .finally(() => waiting.delete(reject))
      }),
    onLost(listener) {
      listeners.add(listener)
      if (loss !== undefined) listener(loss)
    },
  }
}

function deviceLost(reason: string): IsoplexError<'DEVICE_LOST'> {
  return new IsoplexError('DEVICE_LOST', `Nothing can be computed here any more. ${reason}`)
}
