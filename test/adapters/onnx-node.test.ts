import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isMainThread } from 'node:worker_threads'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createOnnxNodeEngine, type ProviderFallback } from '../../adapters/onnx-node/engine.ts'
import { readMachineFacts } from '../../adapters/onnx-node/machine-facts.ts'
import type { Provider } from '../../runtime/engine/engine.ts'
import type { MachineFacts } from '../../runtime/engine/machine-facts.ts'
import { selectProvider } from '../../runtime/engine/provider.ts'
import { describeEngine } from '../contract/engine.contract.ts'
import { addConstantModel, garbageBytes } from '../support/onnx-models.ts'
import { runInProcess, runSessionThreads } from '../support/session-process.ts'
import type { ThreadEnd } from './fixtures/session-thread.ts'

describeEngine('onnx-node on cpu', () => createOnnxNodeEngine(), { provider: 'cpu' })

let folder = ''
let sound = ''
let garbage = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'isoplex-onnx-node-'))
  sound = join(folder, 'sound.onnx')
  garbage = join(folder, 'garbage.onnx')
  writeFileSync(sound, addConstantModel(5))
  writeFileSync(garbage, garbageBytes())
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('fallback', () => {
  // No machine has a device of this number, so loading fails where the facts promise success.
  const providerOptions = { deviceId: 1023 }

  it('computes on what is allowed where the wish cannot be met, and says so once', async () => {
    const said: ProviderFallback[] = []
    const facts = await bareFacts()
    const engine = createOnnxNodeEngine({ facts, onFallback: (fallback) => said.push(fallback) })
    for (const provider of ['cuda', 'cuda', 'tensorrt'] as const) {
      const session = await engine.load(sound, { provider, fallback: 'cpu' })
      expect(session.provider).toBe('cpu')
      await session.dispose()
    }
    expect(said.map(({ wished, provider }) => [wished, provider])).toEqual([
      ['cuda', 'cpu'],
      ['tensorrt', 'cpu'],
    ])
    expect(said[0]?.reason).toContain('libonnxruntime_providers_cuda.so')
  })

  it('is refused where none is allowed', async () => {
    const engine = createOnnxNodeEngine({ facts: await bareFacts() })
    await expect(engine.load(sound, { provider: 'cuda' })).rejects.toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
      details: { missing: ['libonnxruntime_providers_cuda.so', 'NVIDIA device'] },
    })
  })

  it('happens too where the provider is there but fails to load the model', async () => {
    const said: ProviderFallback[] = []
    const facts = await cudaFacts()
    const engine = createOnnxNodeEngine({ facts, onFallback: (fallback) => said.push(fallback) })
    const session = await engine.load(sound, { provider: 'cuda', fallback: 'cpu', providerOptions })
    expect(session.provider).toBe('cpu')
    await session.dispose()
    expect(said).toHaveLength(1)
    expect(said[0]?.reason).toMatch(/^cuda could not load "sound\.onnx": \S/)
  })

  it('is not said where the model is at fault', async () => {
    const said: ProviderFallback[] = []
    const facts = await cudaFacts()
    const engine = createOnnxNodeEngine({ facts, onFallback: (fallback) => said.push(fallback) })
    for (const provider of ['cuda', 'webgpu'] as const) {
      const load = engine.load(garbage, { provider, fallback: 'cpu' })
      await expect(load).rejects.toMatchObject({ code: 'MODEL_BROKEN' })
    }
    expect(said).toEqual([])
  })

  it('tells a broken model from a broken provider where none is allowed', async () => {
    const engine = createOnnxNodeEngine({ facts: await cudaFacts() })
    const wish = { provider: 'cuda', providerOptions } as const
    await expect(engine.load(sound, wish)).rejects.toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
      message: expect.stringMatching(/^cuda could not load "sound\.onnx": .* On cpu it loads\.$/),
    })
    await expect(engine.load(garbage, wish)).rejects.toMatchObject({ code: 'MODEL_BROKEN' })
  })

  it('to cpu is always allowed where nothing was wished for', async ({ skip }) => {
    skip(selectProvider(await readMachineFacts()).provider === 'cuda', 'this machine has cuda')
    const said: ProviderFallback[] = []
    const facts = await cudaFacts()
    const engine = createOnnxNodeEngine({ facts, onFallback: (fallback) => said.push(fallback) })
    const session = await engine.load(sound)
    expect(session.provider).toBe('cpu')
    await session.dispose()
    expect(said).toMatchObject([{ wished: 'auto', provider: 'cpu' }])
  })
})

// Test files run in threads of their own, which is what the refusal is about.
describe('webgpu', () => {
  it('is refused in a thread that has no lock with the others', async () => {
    expect(isMainThread).toBe(false)
    const facts = { ...(await bareFacts()), platform: 'darwin' }
    const engine = createOnnxNodeEngine({ facts })
    await expect(engine.load(sound, { provider: 'webgpu', fallback: 'cpu' })).rejects.toThrow(
      new TypeError('"webgpuLock" is needed to use webgpu outside the main thread.'),
    )
  })
})

describe('the terminal', () => {
  it('stays quiet, whatever ONNX Runtime has to complain of', async () => {
    const file = new URL('fixtures/failing-loads.ts', import.meta.url)
    expect(await runInProcess(file, folder)).toEqual({ exitCode: 0, output: '4 failures', errors: '' })
  })
})

describe('threads', () => {
  it.each<ThreadEnd>(['idle', 'disposed', 'busy', 'exit'])(
    'end with their session %s and leave the process alive',
    { timeout: 60_000 },
    async (end) => {
      const order = { path: sound, provider: 'cpu', runs: 3, end } as const
      expect(await runSessionThreads(order, 2, 3)).toEqual({ exitCode: 0, output: 'survived', errors: '' })
    },
  )

  it('run their sessions side by side', { timeout: 60_000 }, async () => {
    const order = { path: sound, provider: 'cpu', runs: 500, end: 'idle' } as const
    expect(await runSessionThreads(order, 4, 1)).toMatchObject({ exitCode: 0, output: 'survived' })
  })
})

/** The facts of this machine as if it had no device. */
async function bareFacts(): Promise<MachineFacts> {
  const missing = (provider: Provider): MachineFacts['libraries']['cuda'] => ({
    found: [],
    missing: [`libonnxruntime_providers_${provider}.so`],
  })
  return {
    ...(await readMachineFacts()),
    backends: ['cpu', 'cuda', 'tensorrt', 'webgpu'].map((name) => ({ name, bundled: name === 'cpu' })),
    libraries: { cuda: missing('cuda'), tensorrt: missing('tensorrt') },
    nvidia: { devices: [], driver: null, hidden: false },
    vulkan: { loader: false, drivers: [], renderNodes: [] },
  }
}

/** The facts of this machine as if it had all that cuda needs. */
async function cudaFacts(): Promise<MachineFacts> {
  const found = { found: ['libonnxruntime_providers_cuda.so'], missing: [] }
  return {
    ...(await bareFacts()),
    libraries: { cuda: found, tensorrt: found },
    nvidia: { devices: ['a device'], driver: null, hidden: false },
  }
}
