import { describe, expect, it } from 'vitest'
import { rejectionOf } from '../../model/scratch.ts'
import { begin, failedEnd, recordOf, storeKinds, take, takeOver } from './test-store.ts'

describe.each(storeKinds)('steps on $name', (kind) => {
  it('are recorded with the fields, and given to whoever goes on', async () => {
    await using opened = await kind.open()
    const { store } = opened
    const lease = await begin(store)
    expect(await store.beginStep(lease, 'one')).toEqual({ name: 'one', attempt: 1 })
    const one = recordOf('one', { data: { text: 'ü\u0000' }, rollbackData: { a: [1, null] } })
    await store.recordStep(lease, one, { batchSize: 2 }, 'two')
    await store.recordStep(lease, recordOf('two', { skipped: true }), { batchSize: 3 }, 'three')
    const failed = recordOf('three', { success: false, error: 'no' })
    await store.recordStep(lease, failed, { batchSize: 4 }, null)
    expect((await store.get(lease.jobId, null)).steps).toEqual([
      { name: 'one', state: 'done', endedMs: expect.any(Number) },
      { name: 'two', state: 'skipped', endedMs: expect.any(Number) },
      { name: 'three', state: 'failed', endedMs: expect.any(Number) },
    ])
    expect(
      (await store.events(lease.jobId, 2, 99)).map(({ kind: what, data }) => [what, data.step, data.state]),
    ).toEqual([
      ['step', 'one', 'started'],
      ['step', 'one', 'done'],
      ['step', 'two', 'started'],
      ['step', 'two', 'skipped'],
      ['step', 'three', 'started'],
      ['step', 'three', 'failed'],
    ])
    expect(await takeOver(store, lease)).toMatchObject({
      steps: [one, recordOf('two', { skipped: true }), failed],
      fields: { batchSize: 4 },
      runningStep: null,
    })
  })

  it('are recorded once: what comes later under the same name changes nothing', async () => {
    await using opened = await kind.open()
    const { store } = opened
    const lease = await begin(store)
    const one = recordOf('one', { data: { first: true } })
    await store.recordStep(lease, one, { a: 1 }, 'two')
    await store.saveCheckpoint(lease, 'of two')
    const before = await store.events(lease.jobId, 0, 99)
    await store.recordStep(lease, recordOf('one', { success: false }), { a: 2 }, 'three')
    expect(await store.events(lease.jobId, 0, 99)).toEqual(before)
    expect(await takeOver(store, lease)).toMatchObject({
      steps: [one],
      fields: { a: 1 },
      runningStep: { name: 'two', attempt: 1 },
      checkpoint: 'of two',
    })
  })

  it('count how often they were begun, also where the record before began them', async () => {
    await using opened = await kind.open()
    const { store } = opened
    const lease = await begin(store)
    await store.recordStep(lease, recordOf('one'), null, 'two')
    const again = await takeOver(store, lease)
    expect(again).toMatchObject({ fields: null, runningStep: { name: 'two', attempt: 1 } })
    expect(await store.beginStep(again.lease, 'two')).toEqual({ name: 'two', attempt: 2 })
    const third = await takeOver(store, again.lease)
    expect(third.runningStep).toEqual({ name: 'two', attempt: 2 })
    expect(await store.beginStep(third.lease, 'three')).toEqual({ name: 'three', attempt: 1 })
  })

  it.each([[0], [null], [false], ['text'], [{ deep: [1, { a: null }] }]])(
    'remember the checkpoint %j until another step begins',
    async (value) => {
      await using opened = await kind.open()
      const { store } = opened
      const lease = await begin(store)
      await store.saveCheckpoint(lease, 'earlier')
      await store.saveCheckpoint(lease, value)
      const again = await takeOver(store, lease)
      expect(again.checkpoint).toEqual(value)
      await store.beginStep(again.lease, 'one')
      await store.saveCheckpoint(again.lease, value)
      await store.beginStep(again.lease, 'one')
      const third = await takeOver(store, again.lease)
      expect(third.checkpoint).toEqual(value)
      await store.recordStep(third.lease, recordOf('one'), {}, 'two')
      expect((await takeOver(store, third.lease)).checkpoint).toBeUndefined()
    },
  )

  it('forget a checkpoint that is saved as nothing', async () => {
    await using opened = await kind.open()
    const lease = await begin(opened.store)
    await opened.store.saveCheckpoint(lease, 1)
    await opened.store.saveCheckpoint(lease, undefined)
    expect((await takeOver(opened.store, lease)).checkpoint).toBeUndefined()
  })

  it('refuse records that are too large, naming the step and the way out', async () => {
    await using opened = await kind.open({ maxJobRecordBytes: 1_000 })
    const { store } = opened
    const lease = await begin(store)
    await store.beginStep(lease, 'heavy')
    const large = recordOf('heavy', { data: { text: 'ü'.repeat(450) } })
    const refusal = { code: 'JOB_TOO_LARGE', details: { limitBytes: 1_000 } }
    const error = await rejectionOf(store.recordStep(lease, large, {}, 'two'))
    expect(error).toMatchObject({ ...refusal, message: expect.stringMatching(/"heavy".*files\.write/) })
    expect(
      await rejectionOf(store.recordStep(lease, recordOf('heavy'), { results: 'x'.repeat(1_000) }, null)),
    ).toMatchObject(refusal)
    expect(await rejectionOf(store.saveCheckpoint(lease, 'x'.repeat(999)))).toMatchObject({
      ...refusal,
      message: expect.stringContaining('"heavy"'),
    })
    await store.saveCheckpoint(lease, 'x'.repeat(998))
    expect((await store.get(lease.jobId, null)).steps).toEqual([])
  })

  it('are rolled back once each, and what went wrong is remembered', async () => {
    await using opened = await kind.open()
    const { store } = opened
    const lease = await begin(store)
    await store.recordStep(lease, recordOf('one'), {}, 'two')
    await store.recordStep(lease, recordOf('two'), {}, 'three')
    await store.beginRollback(lease, failedEnd)
    await store.beginRollback(lease, { ...failedEnd, state: 'cancelled' })
    expect((await store.get(lease.jobId, null)).rollingBack).toBe(true)
    await store.recordRollback(lease, 'three', null)
    await store.recordRollback(lease, 'two', 'the disk is gone')
    await store.recordRollback(lease, 'two', null)
    await store.recordRollback(lease, 'two', 'again')
    const again = await takeOver(store, lease)
    expect(again).toMatchObject({
      pendingEnd: { ...failedEnd, error: { ...failedEnd.error, rollbackErrors: ['the disk is gone'] } },
      steps: [recordOf('one'), recordOf('two')],
      runningStep: { name: 'three', attempt: 1 },
    })
    expect(again.rolledBack.toSorted()).toEqual(['three', 'two'])
    await store.recordRollback(again.lease, 'one', null)
    expect((await store.get(lease.jobId, null)).steps.map(({ name, state }) => [name, state])).toEqual([
      ['one', 'rolled-back'],
      ['two', 'done'],
      ['three', 'rolled-back'],
    ])
    const events = await store.events(lease.jobId, 0, 99)
    expect(
      events
        .filter(({ data }) => String(data.state).startsWith('roll'))
        .map(({ data }) => [data.step, data.state]),
    ).toEqual([
      ['three', 'rolled-back'],
      ['two', 'rollback-failed'],
      ['one', 'rolled-back'],
    ])
  })

  it('of a job that was given back stay', async () => {
    await using opened = await kind.open()
    const lease = await begin(opened.store)
    await opened.store.recordStep(lease, recordOf('one'), { a: 1 }, 'two')
    await opened.store.release(lease, { blameless: true })
    expect(await take(opened.store)).toMatchObject({
      steps: [recordOf('one')],
      runningStep: { name: 'two', attempt: 1 },
    })
  })
})
