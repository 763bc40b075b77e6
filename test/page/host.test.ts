import { beforeEach, describe, expect, it } from 'vitest'
import { addConstantModel } from '../support/onnx-models.ts'
import { forgetRecords, recordsOf } from './fixtures/witness.ts'
import { offer, openScene } from './page-scene.ts'

beforeEach(forgetRecords)

describe('a request for a function with a model', () => {
  it('is answered by the model that its token stands for, with what computed it', async () => {
    await using scene = await openScene()
    const id = scene.send({ token: offer(scene, 5), json: { x: 1 } })
    // The backend's own fields are told, and pass for none of ours.
    expect(await scene.value(id)).toEqual({ y: 6, model: 'plus-5', version: '1', note: 'from the backend' })
    expect(await scene.end(id)).toMatchObject({
      head: { status: 200 },
      run: { provider: 'cpu', reason: null, model: { id: 'plus-5', version: '1' } },
    })
    const kinds = scene.messages.map(({ kind }) => kind)
    expect(kinds).toEqual(['progress', 'progress', 'ready', 'reply'])
  })

  it('waits with all others for one load, and they share batches', async () => {
    await using scene = await openScene()
    const token = offer(scene, 5)
    const ids = Array.from({ length: 20 }, (_, x) => scene.send({ token, json: { x } }))
    const answers = await Promise.all(ids.map((id) => scene.value(id)))
    expect(answers).toMatchObject(ids.map((_, x) => ({ y: x + 5 })))
    expect(recordsOf('load')).toEqual(['plus-5'])
    expect(scene.asked.get('/artifacts/plus-5/1')).toBe(1)
    expect(scene.asked.get('/-/grants/adding')).toBe(1)
    expect(recordsOf('batch').map((batch) => batch.split(' ').length)).toEqual([4, 4, 4, 4, 4])
  })

  it('shares its batch with nobody where it has to run alone', async () => {
    await using scene = await openScene()
    const token = offer(scene, 5)
    const ids = [false, true, false, false].map((alone, x) => scene.send({ token, alone, json: { x } }))
    await Promise.all(ids.map((id) => scene.value(id)))
    expect(recordsOf('batch')).toEqual(['request-1', 'request-2', 'request-3 request-4'])
  })

  it('is answered by no other version than the one that was granted', async () => {
    await using scene = await openScene()
    const token = offer(scene, 5)
    expect(await scene.value(scene.send({ token, json: { x: 1 } }))).toMatchObject({ y: 6, version: '1' })
    scene.models.set('newer', { id: token, version: '2', bytes: addConstantModel(7) })
    const [old, fresh] = [token, 'newer'].map((token) => scene.send({ token, json: { x: 1 } }))
    expect(await scene.value(old ?? 0)).toMatchObject({ y: 6, version: '1' })
    expect(await scene.value(fresh ?? 0)).toMatchObject({ y: 8, version: '2' })
  })

  it('fails with what the server says of its token, whatever else is loaded', async () => {
    await using scene = await openScene()
    await scene.value(scene.send({ token: offer(scene, 5), json: { x: 1 } }))
    expect(await scene.end(scene.send({ token: 'expired', json: { x: 1 } }))).toMatchObject({
      kind: 'refusal',
      error: { code: 'TOKEN_INVALID', message: 'It is over.', details: { reason: 'expired' } },
    })
  })

  it('fails by itself where its input does not fit', async () => {
    await using scene = await openScene()
    const token = offer(scene, 5)
    const [good, bad] = [{ x: 1 }, { x: 'one' }].map((json) => scene.send({ token, json }))
    expect(await scene.value(good ?? 0)).toMatchObject({ y: 6 })
    expect(await scene.end(bad ?? 0)).toMatchObject({ error: { code: 'INPUT_INVALID' } })
    expect(scene.lines).toEqual([])
  })
})

describe('a model that does not come up', () => {
  it('fails all who wait, and is not tried again at once', async () => {
    await using scene = await openScene()
    scene.models.set('broken', { id: 'broken', bytes: new Uint8Array(64) })
    const ids = [1, 2].map((x) => scene.send({ token: 'broken', json: { x } }))
    for (const id of ids) {
      expect(await scene.end(id)).toMatchObject({
        error: { code: 'MODEL_BROKEN', details: { model: 'broken' } },
      })
    }
    expect(await scene.end(scene.send({ token: 'broken', json: { x: 1 } }))).toMatchObject({
      error: { code: 'MODEL_BROKEN' },
    })
    expect(recordsOf('load')).toEqual(['broken'])
  })

  it('evicts nobody', async () => {
    await using scene = await openScene()
    for (const constant of [1, 2, 3]) {
      await scene.value(scene.send({ token: offer(scene, constant), json: { x: 1 } }))
    }
    scene.models.set('broken', { id: 'broken', bytes: new Uint8Array(64) })
    await scene.end(scene.send({ token: 'broken', json: { x: 1 } }))
    expect(recordsOf('unload')).toEqual([])
  })

  it('is tried again at the next request where the network kept it back', async () => {
    await using scene = await openScene()
    const token = offer(scene, 5)
    const bytes = scene.models.get(token)?.bytes
    scene.models.set(token, { id: token, bytes: new Uint8Array(), claims: { url: '/elsewhere' } })
    // The link is not taken, and neither is a new one.
    expect(await scene.end(scene.send({ token, json: { x: 1 } }))).toMatchObject({
      error: { code: 'GRANT_INVALID' },
    })
    expect(scene.asked.get('/-/grants/adding')).toBe(2)
    scene.models.set(token, { id: token, bytes: bytes ?? new Uint8Array() })
    expect(await scene.value(scene.send({ token, json: { x: 1 } }))).toMatchObject({ y: 6 })
  })

  it('is refused before its download where it can have no room', async () => {
    await using scene = await openScene({ maxModelBytes: 1_000 })
    scene.models.set('large', { id: 'large', bytes: addConstantModel(5, 4_096) })
    expect(await scene.end(scene.send({ token: 'large', json: { x: 1 } }))).toMatchObject({
      error: { code: 'MODEL_TOO_LARGE', details: { model: 'large', limitBytes: 1_000 } },
    })
    expect(scene.asked.has('/artifacts/large/1')).toBe(false)
  })
})

describe('a function without a model', () => {
  it('asks for no grant, and says whether it may run twice', async () => {
    await using scene = await openScene()
    const id = scene.send({ name: 'acting', json: { act: 'speak' } })
    expect(await scene.value(id)).toEqual({ act: 'speak' })
    expect(await scene.end(id)).toMatchObject({ run: { provider: null, model: null } })
    expect(scene.messages).toContainEqual({ kind: 'ready', id, idempotent: false })
    expect(scene.asked.size).toBe(0)
  })

  it('keeps what it throws to the log', async () => {
    await using scene = await openScene()
    const told = await scene.end(scene.send({ name: 'acting', json: { act: 'throw' } }))
    expect(told).toMatchObject({ error: { code: 'INTERNAL' } })
    expect(JSON.stringify(told)).not.toContain('secret')
    expect(scene.lines).toMatchObject([{ level: 'error', function: 'acting', requestId: 'request-1' }])
  })

  it('refuses with its own errors', async () => {
    await using scene = await openScene()
    expect(await scene.end(scene.send({ name: 'acting', json: { act: 'refuse' } }))).toMatchObject({
      error: { code: 'REQUEST_MALFORMED', message: 'No.' },
    })
    expect(scene.lines).toEqual([])
  })

  it('may answer with the same bytes again and again', async () => {
    await using scene = await openScene()
    for (let time = 0; time < 2; time += 1) {
      const told = await scene.end(scene.send({ name: 'acting', json: { act: 'file' } }))
      expect(told).toMatchObject({ body: Uint8Array.of(1, 2, 3) })
    }
  })
})
