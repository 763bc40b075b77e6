import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Caller } from '../../runtime/model/backend.ts'
import type { Registry } from '../../runtime/model/registry.ts'
import { createScratch, type Scratch } from './scratch.ts'
import { actor, addVersions, bearer, openScratchRegistry, question } from './scratch-registry.ts'

const tenants = ['acme', 'globex'] as const
const ids = ['digits', 'speech'] as const

interface GivenAccess {
  readonly token: string
  readonly id: number
  readonly tenant: string | null
  readonly models: readonly string[] | null
  readonly expiresAtMs: number | null
  revoked: boolean
}

/** What there is in the registry, as plain as can be. */
class World {
  readonly counting = new Map<string, boolean>()
  readonly owners = new Map<string, string | null>()
  readonly accesses: GivenAccess[] = []
  nowMs = 1000

  /** An access out of those that there are, the newest ones above all. */
  pick(which: number): GivenAccess | undefined {
    return this.accesses.at(-1 - (which % (this.accesses.length || 1)))
  }

  /** What the registry is to say to a caller: the tenant it confirms, or its code. */
  expect(caller: Caller, id: string): string {
    const owner = this.owners.get(id)
    const access = this.accesses.find(({ token }) => token === caller.accessToken)
    if (caller.accessToken === null) {
      if (!caller.proven) return 'TOKEN_INVALID'
      if (caller.tenant !== null && this.counting.get(caller.tenant) === false) return 'MODEL_FORBIDDEN'
    } else {
      const ended = access?.expiresAtMs != null && access.expiresAtMs <= this.nowMs
      if (access === undefined || access.revoked || ended) return 'TOKEN_INVALID'
      if (caller.tenant !== null && caller.tenant !== access.tenant) return 'MODEL_FORBIDDEN'
      if (access.models !== null && !access.models.includes(id)) return 'MODEL_FORBIDDEN'
    }
    const tenant = access === undefined ? caller.tenant : access.tenant
    if (owner === undefined) return 'MODEL_NOT_FOUND'
    return owner !== null && owner !== tenant ? 'MODEL_FORBIDDEN' : `granted to ${tenant}`
  }
}

const tenant = fc.constantFrom(...tenants)
const anyTenant = fc.constantFrom(null, null, ...tenants, 'initech')
const id = fc.constantFrom(...ids)
const which = fc.nat(9)
const change = fc.oneof(
  fc.record({ kind: fc.constant('add tenant' as const), tenant }),
  fc.record({ kind: fc.constant('revoke tenant' as const), tenant }),
  fc.record({
    kind: fc.constant('add access' as const),
    tenant: fc.constantFrom(null, ...tenants),
    models: fc.option(fc.subarray([...ids])),
    lastsMs: fc.constantFrom(null, 5, 10),
  }),
  fc.record({ kind: fc.constant('revoke access' as const), which }),
  fc.record({ kind: fc.constant('add model' as const), id, owner: anyTenant }),
  fc.record({ kind: fc.constant('remove model' as const), id }),
  fc.record({ kind: fc.constant('wait' as const), forMs: fc.constantFrom(4, 5) }),
)
const ask = fc.record({ tenant: anyTenant, which: fc.option(which), proven: fc.boolean(), id })
/** Each change is made while some ask: their answers are those from before it or from after it. */
const rounds = fc.array(
  fc.record({ change, asks: fc.array(ask, { minLength: 2, maxLength: 6 }), at: fc.boolean() }),
  {
    minLength: 5,
    maxLength: 25,
  },
)

/** What there is at the beginning, so that there is much to be taken away. */
const beginning: readonly Change[] = [
  ...tenants.map((tenant) => ({ kind: 'add tenant' as const, tenant })),
  { kind: 'add model', id: 'digits', owner: null },
  { kind: 'add model', id: 'speech', owner: 'acme' },
  { kind: 'add access', tenant: 'acme', models: null, lastsMs: null },
  { kind: 'add access', tenant: 'acme', models: ['speech'], lastsMs: 10 },
  { kind: 'add access', tenant: 'globex', models: null, lastsMs: null },
  { kind: 'add access', tenant: null, models: ['digits'], lastsMs: null },
]

type Change = typeof change extends fc.Arbitrary<infer Value> ? Value : never

async function make(registry: Registry, world: World, scratch: Scratch, change: Change): Promise<void> {
  switch (change.kind) {
    case 'add tenant':
      await registry.addTenant({ actor, name: change.tenant })
      world.counting.set(change.tenant, true)
      return
    case 'revoke tenant':
      if (!world.counting.has(change.tenant)) return
      await registry.revokeTenant({ actor, name: change.tenant })
      world.counting.set(change.tenant, false)
      for (const access of world.accesses) access.revoked ||= access.tenant === change.tenant
      return
    case 'add access': {
      const { tenant, models, lastsMs } = change
      if (tenant !== null && world.counting.get(tenant) !== true) return
      const expiresAtMs = lastsMs === null ? null : world.nowMs + lastsMs
      const options = { tenant, models, expiresAtMs }
      const made = await registry.addAccess({ actor, ...options, rights: 'use', label: '' })
      world.accesses.push({ ...made, ...options, revoked: false })
      return
    }
    case 'revoke access': {
      const access = world.pick(change.which)
      if (access === undefined) return
      await registry.revokeAccess({ actor, id: access.id })
      access.revoked = true
      return
    }
    case 'add model':
      await addVersions(registry, scratch, change.id, 1, change.owner)
      world.owners.set(change.id, change.owner)
      return
    case 'remove model':
      if (!world.owners.has(change.id)) return
      await registry.remove({ actor, id: change.id, version: null })
      world.owners.delete(change.id)
      return
    case 'wait':
      world.nowMs += change.forMs
  }
}

async function answerOf(registry: Registry, caller: Caller, modelId: string): Promise<string> {
  return registry.find(question(modelId, caller)).then(
    ({ tenant }) => `granted to ${tenant}`,
    (error: { readonly code: string }) => error.code,
  )
}

describe('the registry', () => {
  it('answers nobody without right, however rights come and go, in two places at once', async () => {
    await fc.assert(
      fc.asyncProperty(rounds, async (rounds) => {
        await using scratch = await createScratch()
        const world = new World()
        const now = (): number => world.nowMs
        await using one = await openScratchRegistry(scratch, { now })
        await using other = await openScratchRegistry(scratch, { now })
        for (const change of beginning) await make(one, world, scratch, change)
        for (const { change, asks, at } of rounds) {
          const callers = asks.map(({ which, id, ...caller }) => {
            const accessToken = which === null ? null : (world.pick(which)?.token ?? 'isoplexat_unknown')
            return { ...caller, accessToken, id }
          })
          const said = (): string[] => callers.map((caller) => world.expect(caller, caller.id))
          const before = said()
          const answers = callers.map((caller) => answerOf(other, caller, caller.id))
          const [during] = await Promise.all([
            Promise.all(answers),
            make(at ? one : other, world, scratch, change),
          ])
          const after = said()
          during.forEach((answer, index) => {
            expect([before[index], after[index]]).toContain(answer)
          })
          const settled = callers.map((caller) => answerOf(at ? other : one, caller, caller.id))
          expect(await Promise.all(settled)).toEqual(after)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('refuses in one process from the moment that another has revoked', async () => {
    await using scratch = await createScratch()
    await using registry = await openScratchRegistry(scratch)
    await addVersions(registry, scratch, 'digits', 1, 'acme')
    const script = new URL('fixtures/ask-registry.ts', import.meta.url).pathname
    const child = Bun.spawn([process.execPath, script, scratch.path('models')], {
      stdin: 'pipe',
      stdout: 'pipe',
    })
    const answers = child.stdout.pipeThrough(new TextDecoderStream()).getReader()
    const tell = async (...words: readonly string[]): Promise<string> => {
      child.stdin.write(`${JSON.stringify(words)}\n`)
      child.stdin.flush()
      return ((await answers.read()).value ?? 'nothing').trim()
    }
    const access = {
      tenant: 'acme',
      models: ['digits'],
      rights: 'use',
      label: '',
      expiresAtMs: null,
    } as const
    for (let round = 0; round < 10; round += 1) {
      await registry.addTenant({ actor, name: 'acme' })
      const { id, token } = await registry.addAccess({ actor, ...access })
      expect(await tell('find', token)).toBe('granted to acme')
      if (round % 3 === 0) await registry.revokeAccess({ actor, id })
      else if (round % 3 === 1) await registry.revokeTenant({ actor, name: 'acme' })
      else expect(await tell('revoke', String(id))).toBe('revoked')
      expect(await tell('find', token)).toBe('TOKEN_INVALID')
      expect(await answerOf(registry, bearer(token), 'digits')).toBe('TOKEN_INVALID')
    }
    child.stdin.end()
    expect(await child.exited).toBe(0)
  })
})
