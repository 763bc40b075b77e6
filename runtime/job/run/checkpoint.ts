import type { Checkpoint } from '../../define/action-context.ts'
import type { ActionHost } from '../message.ts'
import { unfitForJson } from './json.ts'

/** Makes a checkpoint that stands at a value; `undefined` where nothing was saved before. */
export function createCheckpoint(host: Pick<ActionHost, 'saveCheckpoint'>, saved: unknown): Checkpoint {
  let last = saved
  return {
    get value() {
      return last
    },
    async save(value: unknown) {
      const unfit = value === undefined ? 'undefined' : unfitForJson(value, 'value')
      if (unfit !== null) {
        throw new TypeError(`A checkpoint holds what JSON can carry, which does not include ${unfit}.`)
      }
      // What is saved is what it is now, whatever becomes of the object.
      const copy: unknown = JSON.parse(JSON.stringify(value))
      await host.saveCheckpoint(copy)
      last = copy
    },
  }
}
