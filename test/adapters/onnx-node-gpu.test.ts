import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createOnnxNodeEngine } from '../../adapters/onnx-node/engine.ts'
import { readMachineFacts } from '../../adapters/onnx-node/machine-facts.ts'
import { createLockMemory } from '../../adapters/onnx-node/process-lock.ts'
import { explainProviders } from '../../runtime/engine/provider.ts'
import { describeEngine } from '../contract/engine.contract.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { requireOrSkip } from '../support/requirement.ts'
import { runSessionThreads } from '../support/session-process.ts'

const states = explainProviders(await readMachineFacts())

describe.each(['cuda', 'webgpu'] as const)('%s', (provider) => {
  const state = states.find((candidate) => candidate.provider === provider)
  const absence = state?.available ? null : [state?.reason, state?.advice].filter(Boolean).join(' ')
  describe.runIf(requireOrSkip(provider, absence))('where it is', () => {
    let folder = ''
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'isoplex-gpu-'))
    })
    afterAll(() => rmSync(folder, { recursive: true, force: true }))

    const engine = (): ReturnType<typeof createOnnxNodeEngine> =>
      createOnnxNodeEngine({ webgpuLock: createLockMemory() })
    describeEngine('onnx-node', engine, { provider, tolerance: 1e-4 })

    it('serves several threads of a process', { timeout: 120_000 }, async () => {
      const path = join(folder, 'model.onnx')
      writeFileSync(path, addConstantModel(5))
      const order = { path, provider, runs: 200, end: 'disposed' } as const
      expect(await runSessionThreads(order, 3, 2)).toMatchObject({ exitCode: 0, output: 'survived' })
    })
  })
})
