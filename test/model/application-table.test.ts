import { expect, it } from 'vitest'
import type { ApplicationFacts } from '../../runtime/model/application-table.ts'
import { createScratch } from './scratch.ts'
import { actor, openScratchRegistry } from './scratch-registry.ts'

const facts: ApplicationFacts = {
  job: 7,
  status: 'RUNNING',
  data: { deployments: { gate: {} } },
  plugin_release: null,
  action: null,
  params: null,
  num_replicas: null,
}

it('keeps one application of a name for each tenant, with its id', async () => {
  await using scratch = await createScratch()
  let nowMs = 1000
  await using registry = await openScratchRegistry(scratch, { now: () => nowMs })
  const first = { name: 'ocr@1', tenant: null, facts }
  expect(await registry.registerApplication({ actor, ...first })).toEqual({
    ...first,
    id: 1,
    registeredAtMs: 1000,
  })
  const others = { ...first, tenant: 'acme' }
  expect(await registry.registerApplication({ actor, ...others })).toMatchObject({ id: 2 })
  nowMs = 2000
  const later = { ...first, facts: { ...facts, status: 'UNHEALTHY', num_replicas: 2 } }
  const again = { ...later, id: 1, registeredAtMs: 2000 }
  expect(await registry.registerApplication({ actor, ...later })).toEqual(again)
  expect(await registry.listApplications({ tenant: null })).toEqual([again])
  expect(await registry.listApplications({ tenant: 'acme' })).toMatchObject([{ id: 2, facts }])
  expect(await registry.listApplications({ tenant: 'globex' })).toEqual([])
  expect(await registry.listApplications('all')).toHaveLength(2)
  expect(await registry.listAudit({ limit: 1 })).toMatchObject([
    { action: 'application.register', target: 'ocr@1', details: { tenant: null, status: 'UNHEALTHY' } },
  ])
})

it('refuses a name that is none', async () => {
  await using scratch = await createScratch()
  await using registry = await openScratchRegistry(scratch)
  for (const name of ['', 'a\nb', 'a'.repeat(257)]) {
    const adding = registry.registerApplication({ actor, name, tenant: null, facts })
    await expect(adding).rejects.toMatchObject({ code: 'INPUT_INVALID' })
  }
})
