import { describe, expect, it } from 'vitest'
import type { Manifest } from '../../runtime/build/manifest.ts'
import { type ObservedPool, type ObservedRunner, readinessOf } from '../../runtime/server/readiness.ts'
import type { PreloadState } from '../../runtime/server/residency/preloading.ts'
import { sampleFunction } from '../build/manifest-samples.ts'

const model = {
  key: 'embedded//secret-model@1',
  digest: '0'.repeat(64),
  bytes: 0,
  info: { id: 'secret-model', version: '1', path: '/models' },
}
const runner = (facts: Partial<ObservedRunner>): ObservedRunner => ({
  state: 'active',
  model: null,
  providers: [],
  fallbacks: [],
  ...facts,
})
const manifest: Manifest = {
  functions: [sampleFunction('a'), sampleFunction('b')],
  broken: [
    {
      file: 'functions/c.ts',
      place: { file: 'functions/c.ts', line: 1, column: 1 },
      reason: 'Broken.',
      served: false,
    },
  ],
}

function readiness(
  pool: Partial<ObservedPool>,
  closing = false,
  preloads: PreloadState = { loading: 0, loaded: 0, failed: 0 },
): ReturnType<typeof readinessOf> {
  const scheduler = { pool: { size: 2, replicas: [], links: [], ...pool } }
  return readinessOf({ manifest, scheduler, preloads, closing, nodes: null, provider: 'auto' })
}

describe('a server', () => {
  it('is ready as soon as one replica is', () => {
    expect(readiness({}).ready).toBe(false)
    expect(readiness({ replicas: [{ number: 1, links: [] }] }).ready).toBe(true)
  })

  it('is not ready before the models of the configuration are loaded, or have failed', () => {
    const replicas = [{ number: 0, links: [] }]
    const loading = readiness({ replicas }, false, { loading: 1, loaded: 1, failed: 0 })
    expect(loading).toMatchObject({ ready: false, preloads: { loading: 1, loaded: 1, failed: 0 } })
    expect(readiness({ replicas }, false, { loading: 0, loaded: 1, failed: 1 }).ready).toBe(true)
  })

  it('is not ready any more while it stops', () => {
    const stopping = readiness({ replicas: [{ number: 0, links: [] }] }, true)
    expect(stopping).toMatchObject({ ready: false, stopping: true })
  })

  it('tells how many runners and models each replica has in service', () => {
    const links = [
      runner({}),
      runner({ model }),
      runner({ model }),
      runner({ model, state: 'starting' }),
      runner({ model, state: 'retiring' }),
    ]
    expect(readiness({ replicas: [{ number: 3, links }], links })).toMatchObject({
      replicas: { wanted: 2, ready: [{ replica: 3, runners: 3, models: 2 }] },
      functions: 2,
      broken: ['functions/c.ts'],
    })
  })

  it('tells each provider and each fallback once', () => {
    const links = [
      runner({ providers: ['cpu'], fallbacks: ['No CUDA here.'] }),
      runner({ providers: ['webgpu', 'cpu'], fallbacks: ['No CUDA here.', 'No GPU here.'] }),
    ]
    expect(readiness({ links }).provider).toEqual({
      wished: 'auto',
      inUse: ['cpu', 'webgpu'],
      fallbacks: ['No CUDA here.', 'No GPU here.'],
    })
  })

  it('names no model, since anybody may ask', () => {
    const links = [runner({ model })]
    expect(JSON.stringify(readiness({ replicas: [{ number: 0, links }], links }))).not.toContain('secret')
  })
})
