import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createOnnxNodeEngine } from '../../adapters/onnx-node/engine.ts'
import type { Engine } from '../../runtime/engine/engine.ts'
import { configureEngine, type SessionWishes } from '../../runtime/entry/configured-engine.ts'
import { addConstantModel } from '../support/onnx-models.ts'

let directory: string
let model: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'isoplex-wishes-'))
  model = join(directory, 'model.onnx')
  await writeFile(model, addConstantModel(1))
})
afterEach(() => rm(directory, { recursive: true }))

it.each<[SessionWishes, object, object]>([
  [{ provider: 'cpu', fallback: null, intraOpThreads: 0 }, {}, { provider: 'cpu' }],
  [
    { provider: 'auto', fallback: 'cpu', intraOpThreads: 2 },
    {},
    { provider: 'auto', fallback: 'cpu', intraOpThreads: 2 },
  ],
  [
    { provider: 'cuda', fallback: 'cpu', intraOpThreads: 2 },
    { provider: 'cpu', intraOpThreads: 1 },
    { provider: 'cpu', fallback: 'cpu', intraOpThreads: 1 },
  ],
])('takes %j where a function does not say more than %j', async (wishes, own, expected) => {
  const real = createOnnxNodeEngine()
  const wished: unknown[] = []
  const base: Engine = {
    name: real.name,
    load(location, options) {
      wished.push(options)
      return real.load(location, options)
    },
  }
  const loaded: unknown[] = []
  const session = await configureEngine(base, wishes, (each) => loaded.push(each)).load(model, own)
  await session.dispose()
  expect([wished, loaded]).toEqual([[expected], [session]])
})
