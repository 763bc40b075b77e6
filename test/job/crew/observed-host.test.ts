import { describe, expect, it } from 'vitest'
import { IsoplexError } from '../../../runtime/error/error.ts'
import { observeHost } from '../../../runtime/job/crew/observed-host.ts'
import type { ActionHost } from '../../../runtime/job/message.ts'

/** A host of which every method waits until it is told what comes of it. */
function waitingHost() {
  const open: PromiseWithResolvers<never>[] = []
  const wait = (): Promise<never> => {
    const answer = Promise.withResolvers<never>()
    open.push(answer)
    return answer.promise
  }
  const host: ActionHost = {
    describeModel: wait,
    prepareModel: wait,
    describeDeployment: wait,
    prepareBundle: wait,
    registerApplication: wait,
    beginStep: wait,
    recordStep: wait,
    saveCheckpoint: wait,
    beginRollback: wait,
    recordRollback: wait,
    keepFile: wait,
    listFiles: wait,
    fetchFile: wait,
    report: wait,
    finish: wait,
  }
  return { host, open }
}

const heardOf = (host: ActionHost) => {
  const heard: unknown[] = []
  const observed = observeHost(host, {
    answered: (question, parameters) => void heard.push([question, ...parameters]),
    lost: () => void heard.push('lost'),
  })
  return { observed, heard }
}

describe('observeHost', () => {
  it('tells what was answered, once it was', async () => {
    const { host, open } = waitingHost()
    const { observed, heard } = heardOf(host)
    const asked = observed.recordRollback('fetch', 'Why not.')
    expect(heard).toEqual([])
    open[0]?.resolve(undefined as never)
    await asked
    expect(heard).toEqual([['recordRollback', 'fetch', 'Why not.']])
  })

  it('is settled while models are still made ready, which nothing is recorded by', async () => {
    const { host, open } = waitingHost()
    const { observed } = heardOf(host)
    void observed.prepareModel('digits')
    void observed.describeModel('digits')
    await observed.settled()
    void observed.keepFile({ name: 'a', mediaType: 'text/csv', path: '/a' })
    let isSettled = false
    const settled = observed.settled().then(() => {
      isSettled = true
    })
    await Promise.resolve()
    expect(isSettled).toBe(false)
    open.at(-1)?.resolve(undefined as never)
    await settled
  })

  it('tells that the lease is lost, and nothing of other failures', async () => {
    const { host, open } = waitingHost()
    const { observed, heard } = heardOf(host)
    const lost = new IsoplexError('LEASE_LOST', 'lost')
    const failures = [lost, new Error('another')]
    for (const failure of failures) {
      const asked = observed.saveCheckpoint(1)
      open.at(-1)?.reject(failure)
      await expect(asked).rejects.toBe(failure)
    }
    expect(heard).toEqual(['lost'])
  })

  it('is settled when nothing is being answered', async () => {
    const { host, open } = waitingHost()
    const { observed } = heardOf(host)
    await observed.settled()
    const asked = observed.finish({ state: 'cancelled', error: null, result: null })
    let settled = false
    const settling = observed.settled().then(() => {
      settled = true
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect(settled).toBe(false)
    open[0]?.resolve(undefined as never)
    await Promise.all([asked, settling])
  })
})
