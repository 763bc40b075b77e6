import { beforeEach, describe, expect, it } from 'vitest'
import { forgetRecords, recordsOf } from './fixtures/witness.ts'
import { offer, openScene, until } from './page-scene.ts'

beforeEach(forgetRecords)

describe('a request whose caller has gone', () => {
  it('ends the download that it alone waited for', async () => {
    await using scene = await openScene()
    const release = scene.holdArtifacts()
    const token = offer(scene, 5)
    const id = scene.send({ token, json: { x: 1 } })
    await until(() => scene.asked.has('/artifacts/plus-5/1'))
    scene.host.receive({ kind: 'cancel', id })
    expect((await scene.end(id)).kind).toBe('refusal')
    const next = scene.send({ token, json: { x: 1 } })
    release()
    expect(await scene.value(next)).toMatchObject({ y: 6 })
    expect(scene.asked.get('/artifacts/plus-5/1')).toBe(2)
    expect(recordsOf('load')).toEqual(['plus-5'])
    expect(scene.lines).toEqual([])
  })

  it('leaves the download to others who wait for it', async () => {
    await using scene = await openScene()
    const release = scene.holdArtifacts()
    const token = offer(scene, 5)
    const [gone = 0, stays = 0] = [1, 2].map((x) => scene.send({ token, json: { x } }))
    await until(() => scene.asked.has('/artifacts/plus-5/1'))
    scene.host.receive({ kind: 'cancel', id: gone })
    release()
    expect(await scene.value(stays)).toMatchObject({ y: 7 })
    expect(recordsOf('batch')).toEqual(['request-2'])
    expect(scene.asked.get('/artifacts/plus-5/1')).toBe(1)
  })

  it('is let go of before its function is known, and in the middle of its work', async () => {
    await using scene = await openScene()
    const early = scene.send({ name: 'acting', json: { act: 'hang' } })
    scene.host.receive({ kind: 'cancel', id: early })
    expect((await scene.end(early)).kind).toBe('refusal')
    const late = scene.send({ name: 'acting', json: { act: 'hang' } })
    await until(() => recordsOf('hang').length === 1)
    scene.host.receive({ kind: 'cancel', id: late })
    expect((await scene.end(late)).kind).toBe('refusal')
    expect([...recordsOf('hang'), ...recordsOf('gone')]).toEqual(['request-2', 'request-2'])
    expect(scene.lines).toEqual([])
  })
})

describe('a stream', () => {
  it('is made as fast as it is read', async () => {
    await using scene = await openScene()
    const id = scene.send({ name: 'counting', json: { pieces: 20 } })
    await scene.message(({ kind }) => kind === 'stream')
    await until(() => scene.messages.filter(({ kind }) => kind === 'chunk').length >= 4)
    const made = recordsOf('piece').length
    expect(made).toBeLessThan(8)
    let read = 0
    await until(() => {
      const arrived = scene.messages.reduce(
        (sum, told) => sum + (told.kind === 'chunk' ? told.bytes.length : 0),
        0,
      )
      // What is read makes room for as much again.
      if (arrived > read) scene.host.receive({ kind: 'credit', id, bytes: arrived - read })
      read = arrived
      return scene.messages.some(({ kind }) => kind === 'end')
    })
    expect(await scene.end(id)).toEqual({ kind: 'end', id, broken: false })
    expect(recordsOf('piece')).toHaveLength(20)
  })

  it('ends where nobody reads on', async () => {
    await using scene = await openScene()
    const id = scene.send({ name: 'counting', json: { pieces: 1_000 } })
    await scene.message(({ kind }) => kind === 'chunk')
    scene.host.receive({ kind: 'cancel', id })
    await scene.end(id)
    expect(recordsOf('piece').length).toBeLessThan(10)
    expect(scene.lines).toEqual([])
  })

  it('that fails says so in its last line', async () => {
    await using scene = await openScene()
    const id = scene.send({ name: 'counting', json: { pieces: 0 } })
    expect(await scene.end(id)).toEqual({ kind: 'end', id, broken: false })
    const chunks = scene.messages.flatMap((told) => (told.kind === 'chunk' ? [told.bytes] : []))
    const text = await new Blob(chunks).text()
    expect(text).toContain('"code":"INTERNAL"')
    expect(text).not.toContain('secret')
  })
})
