import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AdapterFacts, BrowserFacts } from '../../adapters/onnx-web/browser-facts.ts'
import { selectThreads, selectWebProvider, type WebProviderWish } from '../../adapters/onnx-web/provider.ts'
import { providers } from '../../runtime/engine/provider.ts'

const hardware: AdapterFacts = { description: 'nvidia ampere', software: false, float16: true }
const software: AdapterFacts = { description: 'google swiftshader', software: true, float16: false }
const facts = (adapter: AdapterFacts | null): BrowserFacts => ({ adapter, isolated: false, cores: 8 })
const wish = (wished: Omit<WebProviderWish, 'softwareAdapters'> = {}): WebProviderWish => ({
  ...wished,
  softwareAdapters: false,
})

describe('selectWebProvider', () => {
  it('takes webgpu unasked where there is an adapter', () => {
    expect(selectWebProvider(facts(hardware), wish())).toEqual({
      provider: 'webgpu',
      reason: 'WebGPU, by nvidia ampere.',
      missing: [],
      fellBack: false,
    })
  })

  it.each([
    [null, 'The browser offers no WebGPU adapter.'],
    [software, 'The only WebGPU adapter (google swiftshader) computes in software.'],
  ])('takes wasm unasked where the adapter is %o, and says why', (adapter, reason) => {
    expect(selectWebProvider(facts(adapter), wish())).toEqual({
      provider: 'wasm',
      reason,
      missing: ['webgpu'],
      fellBack: true,
    })
  })

  it('counts software adapters where it is asked to', () => {
    const choice = selectWebProvider(facts(software), { softwareAdapters: true })
    expect(choice).toMatchObject({ provider: 'webgpu', fellBack: false })
  })

  it('takes what is named, and no other in silence', () => {
    expect(selectWebProvider(facts(hardware), wish({ provider: 'wasm' }))).toMatchObject({
      provider: 'wasm',
      fellBack: false,
    })
    expect(() => selectWebProvider(facts(software), wish({ provider: 'webgpu' }))).toThrow(
      expect.objectContaining({ code: 'PROVIDER_UNAVAILABLE', details: { missing: ['webgpu'] } }),
    )
  })

  it.each(['cpu', 'cuda', 'tensorrt'] as const)('has no %s, but its fallback', (provider) => {
    expect(() => selectWebProvider(facts(hardware), wish({ provider }))).toThrow(
      expect.objectContaining({
        message: `The execution provider "${provider}" is not available here. It computes on servers; a page has webgpu and wasm.`,
      }),
    )
    expect(selectWebProvider(facts(hardware), wish({ provider, fallback: 'webgpu' }))).toMatchObject({
      provider: 'webgpu',
      fellBack: true,
    })
  })

  it('refuses names that are none', () => {
    expect(() => selectWebProvider(facts(null), wish({ provider: 'gpu' as 'cuda' }))).toThrow(
      /^"provider" must be one of auto, /,
    )
    expect(() => selectWebProvider(facts(null), wish({ fallback: 'auto' as 'cuda' }))).toThrow(
      /^"fallback" must be one of cpu, /,
    )
  })

  it('never takes webgpu without an adapter that counts, and what it says is what it takes', () => {
    const name = fc.constantFrom(...providers)
    const wished = fc.record(
      { provider: fc.oneof(fc.constant('auto' as const), name), fallback: name },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(
        fc.constantFrom(null, software, hardware),
        wished,
        fc.boolean(),
        (adapter, asked, softwareAdapters) => {
          const usable = adapter !== null && (softwareAdapters || !adapter.software)
          let choice: ReturnType<typeof selectWebProvider>
          try {
            choice = selectWebProvider(facts(adapter), { ...asked, softwareAdapters })
          } catch (error) {
            return (error as { code?: string }).code === 'PROVIDER_UNAVAILABLE'
          }
          const named = asked.provider === undefined || asked.provider === 'auto' ? 'webgpu' : asked.provider
          return (choice.provider === 'wasm' || usable) && choice.fellBack === (choice.provider !== named)
        },
      ),
    )
  })
})

describe('selectThreads', () => {
  it.each([
    [{ isolated: false, cores: 16 }, undefined, 1],
    [{ isolated: false, cores: 16 }, 8, 1],
    [{ isolated: true, cores: 16 }, undefined, 4],
    [{ isolated: true, cores: 4 }, undefined, 2],
    [{ isolated: true, cores: 1 }, undefined, 1],
    [{ isolated: true, cores: 4 }, 8, 4],
    [{ isolated: true, cores: 4 }, 3, 3],
  ])('of %o with the wish %o are %o', (place, asked, threads) => {
    expect(selectThreads({ adapter: null, ...place }, asked)).toBe(threads)
  })
})
