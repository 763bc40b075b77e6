import { expect, it } from 'vitest'
import type { RunnerOrder } from '../../runtime/replica/message.ts'
import { withPaths } from '../../runtime/replica/order-paths.ts'

const info = (id: string) => ({ id, version: '1', path: `/models/${id}`, note: `/models/${id}` })
const order: RunnerOrder = {
  runner: 1,
  gateway: { unix: '/run/gateway.sock' },
  nonce: 'n',
  name: 'a',
  deployment: 'a',
  options: { file: '/models/one' },
  bundlePath: '/bundles/a.js',
  concurrency: 1,
  model: info('one'),
  apart: [],
  parts: [{ function: 'b', asked: null, key: 'k', model: info('two') }],
  session: { provider: 'cpu', fallback: null, intraOpThreads: 0 },
  inputHosts: [],
  logLevel: 'info',
}
const elsewhere = {
  bundle: async (path: string) => `there${path}`,
  model: async (path: string) => `elsewhere${path}`,
}

it('replaces every path of an order, and nothing else', async () => {
  const placed = await withPaths(order, elsewhere)
  expect(placed).toEqual({
    ...order,
    bundlePath: 'there/bundles/a.js',
    model: { ...info('one'), path: 'elsewhere/models/one' },
    parts: [
      { function: 'b', asked: null, key: 'k', model: { ...info('two'), path: 'elsewhere/models/two' } },
    ],
  })
})

it('leaves what lies nowhere where it is', async () => {
  const model = { ...info('graph'), path: '' }
  expect((await withPaths({ ...order, model }, elsewhere)).model).toEqual(model)
})

it('leaves a function without a model without one', async () => {
  expect(await withPaths({ ...order, model: null, parts: [] }, elsewhere)).toMatchObject({
    model: null,
    parts: [],
  })
})

it('fails where a path has nothing that stands for it', async () => {
  const nowhere = { ...elsewhere, model: () => Promise.reject(new Error('not here')) }
  await expect(withPaths(order, nowhere)).rejects.toThrow('not here')
})
