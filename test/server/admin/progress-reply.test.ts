import { describe, expect, it } from 'vitest'
import { IsoplexError } from '../../../runtime/error/error.ts'
import {
  linesMediaType,
  progressReply,
  type ReportingWork,
} from '../../../runtime/server/admin/progress-reply.ts'

const progress = { doneBytes: 1, totalBytes: 2 }
const asking = new Request('http://localhost/', { headers: { accept: linesMediaType } })
const defects: unknown[] = []

async function linesOf(work: ReportingWork): Promise<unknown[]> {
  const reply = await progressReply(asking, work, (error) => defects.push(error))
  const text = await reply.text()
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

describe('progressReply', () => {
  it('writes a line for each step and the result last', async () => {
    const lines = await linesOf(async (onProgress) => {
      onProgress(progress)
      return { id: 'a' }
    })
    expect(lines).toEqual([{ progress }, { result: { id: 'a' } }])
  })

  it('ends with the problem where the work fails, and hides what is not ours', async () => {
    const fail = (error: unknown): Promise<unknown[]> => linesOf(() => Promise.reject(error))
    expect(await fail(new IsoplexError('STORAGE_FULL', 'full'))).toMatchObject([
      { problem: { code: 'STORAGE_FULL' } },
    ])
    const defect = new Error('secret')
    const [line] = await fail(defect)
    expect(line).toMatchObject({ problem: { code: 'INTERNAL' } })
    expect(JSON.stringify(line)).not.toContain('secret')
    expect(defects).toEqual([defect])
  })

  it('is the result alone for who does not ask for lines', async () => {
    const plain = new Request('http://localhost/')
    const reply = await progressReply(
      plain,
      async () => ({ id: 'a' }),
      (error) => defects.push(error),
    )
    expect([reply.status, await reply.json()]).toEqual([201, { id: 'a' }])
    const failing = progressReply(
      plain,
      () => Promise.reject(new Error('why')),
      () => undefined,
    )
    await expect(failing).rejects.toThrow('why')
  })

  it('lets the work go on when the reader leaves', async () => {
    const { promise: left, resolve: leave } = Promise.withResolvers<void>()
    const { promise: ended, resolve: end } = Promise.withResolvers<string>()
    const work: ReportingWork = async (onProgress) => {
      onProgress(progress)
      await left
      onProgress(progress)
      end('done')
    }
    const reply = await progressReply(asking, work, (error) => defects.push(error))
    await reply.body?.cancel()
    leave()
    expect(await ended).toBe('done')
  })
})
