import { describe } from 'vitest'
import { createOnnxNodeEngine } from '../../adapters/onnx-node/engine.ts'
import { readMachineFacts } from '../../adapters/onnx-node/machine-facts.ts'
import { createLockMemory } from '../../adapters/onnx-node/process-lock.ts'
import { explainProviders } from '../../runtime/engine/provider.ts'
import { describeEngine } from '../contract/engine.contract.ts'
import { requireOrSkip } from '../support/requirement.ts'

const states = explainProviders(await readMachineFacts())

for (const provider of ['cuda', 'webgpu'] as const) {
  const state = states.find((candidate) => candidate.provider === provider)
  const absence = state?.available ? null : [state?.reason, state?.advice].filter(Boolean).join(' ')
  const here = requireOrSkip(provider, absence)
  describe.runIf(here)('with a device', () => {
    describeEngine(
      `onnx-node on ${provider}`,
      () => createOnnxNodeEngine({ webgpuLock: createLockMemory() }),
      {
        provider,
        tolerance: 1e-4,
      },
    )
  })
}
