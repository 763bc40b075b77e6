import { describe, expect, it } from 'vitest'
import { until } from '../support/server.ts'
import { startLoad } from './crash-project.ts'
import { startTenantServer } from './tenant-project.ts'

describe('a principal whose requests end replicas', () => {
  it('fails alone, is kept out of that function and model after a while, and nobody else is', async () => {
    await using scene = await startTenantServer()
    const { ask, counted } = scene
    const load = startLoad(3, (count) => ask(count % 2 === 0 ? { tenant: 'good' } : {}))
    await until(() => load.answered > 10)
    for (let count = 0; count < 3; count += 1)
      expect(await ask({ tenant: 'bad', act: 'kill' })).toMatchObject({
        status: 503,
        json: { code: 'REPLICA_CRASHED' },
      })
    const kept = await ask({ tenant: 'bad' })
    expect(kept).toMatchObject({ status: 503, json: { code: 'QUARANTINED' } })
    expect(kept.headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
    expect((await ask({ tenant: 'bad', model: 'two' })).json).toEqual({ model: 'two' })
    expect((await ask({ tenant: 'bad', path: '/other' })).json).toEqual({ model: 'one' })
    const before = load.answered
    await until(() => load.answered > before + 10)
    await load.stop()
    expect(load.failures).toEqual([])
    expect(await counted('principal_rejection_total{principal="tenant:bad",reason="QUARANTINED"}')).toBe(1)
    expect(await counted('replica_restart_total{reason="crashed"}')).toBeGreaterThanOrEqual(3)
    const labels = 'function="acting",model="one",version="1"'
    expect(await counted(`inference_request_failure_total{${labels},reason="REPLICA_CRASHED"}`)).toBe(3)
    expect(await counted(`model_departure_total{${labels},reason="crashed"}`)).toBeGreaterThan(0)
  }, 40_000)

  it('is not known where it sent no token, and then nobody is kept out', async () => {
    await using scene = await startTenantServer()
    const { ask } = scene
    for (let count = 0; count < 5; count += 1)
      expect(await ask({ act: 'kill' })).toMatchObject({ status: 503, json: { code: 'REPLICA_CRASHED' } })
    expect(await ask({})).toMatchObject({ status: 200 })
  }, 40_000)
})
