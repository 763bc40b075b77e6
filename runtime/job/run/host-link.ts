import { fromWire } from '../../error/wire.ts'
import type { ActionCommand, ActionHost, ActionQuestion, ActionReport } from '../message.ts'

/** A host that is asked by messages. */
export interface HostLink {
  readonly host: ActionHost
  /** Takes what answers a question. */
  receive(answer: Extract<ActionCommand, { readonly kind: 'answer' | 'refuse' }>): void
}

interface OpenQuestion {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/** Makes a host of what carries its questions away. Questions are answered in any order. */
export function createHostLink(send: (report: ActionReport) => void): HostLink {
  const open = new Map<number, OpenQuestion>()
  let lastId = 0
  const ask = <Question extends ActionQuestion>(question: Question): ActionHost[Question] => {
    const method = (...parameters: readonly unknown[]): Promise<unknown> => {
      lastId += 1
      const { promise, resolve, reject } = Promise.withResolvers<unknown>()
      open.set(lastId, { resolve, reject })
      send({ kind: 'ask', id: lastId, question, parameters })
      return promise
    }
    // The other side calls the method of that name with these parameters.
    return method as ActionHost[Question]
  }
  return {
    host: Object.freeze({
      describeModel: ask('describeModel'),
      prepareModel: ask('prepareModel'),
      describeDeployment: ask('describeDeployment'),
      prepareBundle: ask('prepareBundle'),
      registerApplication: ask('registerApplication'),
      beginStep: ask('beginStep'),
      recordStep: ask('recordStep'),
      saveCheckpoint: ask('saveCheckpoint'),
      beginRollback: ask('beginRollback'),
      recordRollback: ask('recordRollback'),
      keepFile: ask('keepFile'),
      listFiles: ask('listFiles'),
      fetchFile: ask('fetchFile'),
      report: ask('report'),
      finish: ask('finish'),
    }),
    receive(answer) {
      const question = open.get(answer.id)
      open.delete(answer.id)
      if (answer.kind === 'refuse') question?.reject(fromWire(answer.error))
      else question?.resolve(answer.value)
    },
  }
}
