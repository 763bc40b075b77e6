import { beforeEach, expect, it } from 'vitest'
import { forgetRecords, recordsOf } from './fixtures/witness.ts'
import { fixture, offer, openScene, type PageScene } from './page-scene.ts'

beforeEach(forgetRecords)

const ask = (scene: PageScene, how: string, token: string | null = null): number =>
  scene.send({ name: 'calling', moduleUrl: fixture('calling'), hasModel: false, token, json: { how } })

it('has the model of the same token answer, in this worker', async () => {
  await using scene = await openScene()
  const id = ask(scene, 'add', offer(scene, 5))
  expect(await scene.value(id)).toMatchObject([6, 7, 8, 9, 10].map((y) => ({ y, model: 'plus-5' })))
  expect(recordsOf('load')).toEqual(['plus-5'])
  expect(scene.asked.get('/-/grants/adding')).toBe(1)
  const about = new Set(scene.messages.map((message) => ('id' in message ? message.id : 0)))
  expect([...about]).toEqual([id])
  expect(scene.messages.filter(({ kind }) => kind === 'progress').length).toBeGreaterThan(0)
})

it('has functions without a model answer beside their caller', async () => {
  await using scene = await openScene()
  expect(await scene.value(ask(scene, 'plain'))).toBe(-1)
})

it('reads streams, to their end or not', async () => {
  await using scene = await openScene()
  const token = offer(scene, 5)
  expect(await scene.value(ask(scene, 'all', token))).toBe(1_249_975_000)
  expect(await scene.value(ask(scene, 'some', token))).toBe(6)
  expect(await scene.value(ask(scene, 'all', token))).toBe(1_249_975_000)
})

it.each([
  ['wrong', { code: 'INPUT_INVALID' }],
  ['model', { code: 'MODEL_FORBIDDEN', details: { model: 'other' } }],
  ['deployment', { code: 'DEPLOYMENT_NOT_FOUND', details: { deployment: 'fast' } }],
  ['server', { code: 'FUNCTION_NOT_FOUND', details: { function: 'server-only' } }],
  [
    'deep',
    {
      code: 'CALL_TOO_DEEP',
      details: { chain: expect.arrayContaining(['calling', 'recurring', 'turning']) },
    },
  ],
])('refuses what no page can do: %s', async (how, error) => {
  await using scene = await openScene()
  expect(await scene.end(ask(scene, how, offer(scene, 5)))).toMatchObject({ kind: 'refusal', error })
})

it('fails with what the server says of the token', async () => {
  await using scene = await openScene()
  expect(await scene.end(ask(scene, 'add', 'expired'))).toMatchObject({ error: { code: 'TOKEN_INVALID' } })
})

it('ends with its request', async () => {
  await using scene = await openScene()
  const release = scene.holdArtifacts()
  const token = offer(scene, 5)
  const id = ask(scene, 'add', token)
  await scene.message(({ kind }) => kind === 'ready')
  scene.host.receive({ kind: 'cancel', id })
  expect(await scene.end(id)).toMatchObject({ kind: 'refusal' })
  release()
  expect(await scene.value(ask(scene, 'add', token))).toMatchObject([6, 7, 8, 9, 10].map((y) => ({ y })))
})
