import { beforeEach, describe, expect, it } from 'vitest'
import { addConstantModel } from '../support/onnx-models.ts'
import { forgetRecords, recordsOf } from './fixtures/witness.ts'
import { fixture, openScene, type PageScene } from './page-scene.ts'

beforeEach(forgetRecords)

const offer = (scene: PageScene, constant: number, id = `plus-${constant}`): string => {
  scene.models.set(id, { id, bytes: addConstantModel(constant) })
  return id
}

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1))
}

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

describe('what is loaded', () => {
  it('is bounded by count: the least recently used leaves', async () => {
    await using scene = await openScene()
    const ask = async (constant: number): Promise<unknown> =>
      scene.value(scene.send({ token: offer(scene, constant), json: { x: 0 } }))
    for (const constant of [1, 2, 3, 1, 4]) expect(await ask(constant)).toMatchObject({ y: constant })
    await until(() => recordsOf('unload').length === 1)
    for (const constant of [1, 3, 4]) await ask(constant)
    expect(recordsOf('load')).toEqual(['plus-1', 'plus-2', 'plus-3', 'plus-4'])
    await ask(2)
    expect(recordsOf('load')).toHaveLength(5)
  })

  it('is bounded by bytes', async () => {
    const bytes = addConstantModel(1, 65_536).length
    await using scene = await openScene({ maxModelBytes: bytes * 2 + 1_000 })
    for (const id of ['a', 'b', 'c']) {
      scene.models.set(id, { id, bytes: addConstantModel(id.charCodeAt(0), 65_536) })
      await scene.value(scene.send({ token: id, json: { x: 0 } }))
    }
    await until(() => recordsOf('unload').length === 1)
    expect(recordsOf('load')).toEqual(['a', 'b', 'c'])
  })

  it('answers all that it has in hand before it leaves', async () => {
    await using scene = await openScene()
    const ids = Array.from({ length: 24 }, (_, index) =>
      scene.send({ token: offer(scene, index % 8), json: { x: 100 } }),
    )
    const answers = await Promise.all(ids.map((id) => scene.value(id)))
    expect(answers).toMatchObject(ids.map((_, index) => ({ y: 100 + (index % 8) })))
    await until(() => recordsOf('unload').length === recordsOf('load').length - 3)
  })
})

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

  it.each([
    ['throws', 'throwing'],
    ['is no function', 'empty'],
    ['is missing', 'nowhere'],
  ])('that %s is broken, and is remembered as such', async (_, file) => {
    await using scene = await openScene()
    for (let time = 0; time < 2; time += 1) {
      const told = await scene.end(scene.send({ name: 'acting', moduleUrl: fixture(file), json: {} }))
      expect(told).toMatchObject({ error: { code: 'FUNCTION_BROKEN' } })
      expect(JSON.stringify(told)).not.toContain('secret')
    }
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
    for (let credit = 0; credit < 20; credit += 1) {
      scene.host.receive({ kind: 'credit', id, bytes: 70_000 })
    }
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
