import { isIsoplexError } from '../../error/error.ts'
import type { ActionHost, ActionQuestion } from '../message.ts'

/** What the holder of a lease hears of what its process asks. */
export interface HostEvents {
  /** Something was answered that was asked with these parameters. */
  answered(question: ActionQuestion, parameters: readonly unknown[]): void
  /** Somebody else goes on with the job, or it has ended. */
  lost(): void
}

/** A host whose answers are heard. */
export interface ObservedHost extends ActionHost {
  /** Resolves when nothing is being answered that concerns what the job leaves: models and builds may be long on their way. */
  settled(): Promise<void>
}

/** Makes a host whose owner hears what it answers. */
export function observeHost(host: ActionHost, { answered, lost }: HostEvents): ObservedHost {
  const open = new Set<Promise<unknown>>()
  const heard = <Question extends ActionQuestion>(question: Question): ActionHost[Question] => {
    const ask = host[question] as (...parameters: readonly unknown[]) => Promise<unknown>
    const method = async (...parameters: readonly unknown[]): Promise<unknown> => {
      const answering = ask(...parameters)
      if (!isOfOthers(question)) open.add(answering)
      try {
        const answer = await answering
        answered(question, parameters)
        return answer
      } catch (error) {
        if (isIsoplexError(error) && error.code === 'LEASE_LOST') lost()
        throw error
      } finally {
        open.delete(answering)
      }
    }
    // It takes and gives what the host's own method of that name does.
    return method as ActionHost[Question]
  }
  return Object.freeze<ObservedHost>({
    describeModel: heard('describeModel'),
    prepareModel: heard('prepareModel'),
    describeDeployment: heard('describeDeployment'),
    prepareBundle: heard('prepareBundle'),
    registerApplication: heard('registerApplication'),
    beginStep: heard('beginStep'),
    recordStep: heard('recordStep'),
    saveCheckpoint: heard('saveCheckpoint'),
    beginRollback: heard('beginRollback'),
    recordRollback: heard('recordRollback'),
    keepFile: heard('keepFile'),
    listFiles: heard('listFiles'),
    fetchFile: heard('fetchFile'),
    report: heard('report'),
    finish: heard('finish'),
    settled: async () => {
      while (open.size > 0) await Promise.allSettled(open)
    },
  })
}

const ofOthers: ReadonlySet<ActionQuestion> = new Set([
  'describeModel',
  'prepareModel',
  'describeDeployment',
  'prepareBundle',
  'registerApplication',
])

function isOfOthers(question: ActionQuestion): boolean {
  return ofOthers.has(question)
}
