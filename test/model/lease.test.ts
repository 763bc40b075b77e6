import { readdir } from 'node:fs/promises'
import { hostname } from 'node:os'
import { expect, it } from 'vitest'
import { Lease, readLeases } from '../../runtime/model/lease.ts'
import { openStoreFolder } from '../../runtime/model/store-folder.ts'
import { createScratch } from './scratch.ts'

const [a = '', b = '', c = ''] = ['a', 'b', 'c'].map((letter) => letter.repeat(64))

it('is read by all, with what is held and what is claimed', async () => {
  await using scratch = await createScratch()
  const { leases, staging } = await openStoreFolder({ directory: scratch.path('store') })
  const one = new Lease(leases, staging)
  const other = new Lease(leases, staging)
  expect(await readLeases(leases)).toEqual(new Set())
  await Promise.all([one.hold([a]), one.claim(b), other.claim(c)])
  expect(await readLeases(leases)).toEqual(new Set([a, b, c]))
  await one.hold([])
  expect(await readLeases(leases)).toEqual(new Set([b, c]))
  expect(await readdir(leases)).toHaveLength(2)
})

it('writes many claims at once in few goes, and each is there when it is given', async () => {
  await using scratch = await createScratch()
  const { leases, staging } = await openStoreFolder({ directory: scratch.path('store') })
  const lease = new Lease(leases, staging)
  const digests = Array.from({ length: 500 }, (_, index) => index.toString(16).padStart(64, '0'))
  await Promise.all(
    digests.map(async (digest) => {
      await lease.claim(digest)
      expect((await readLeases(leases)).has(digest)).toBe(true)
    }),
  )
})

it('of a dead process, and a claim whose time is up, hold nothing', async () => {
  await using scratch = await createScratch()
  const { leases } = await openStoreFolder({ directory: scratch.path('store') })
  const content = (untilMs: number): string => JSON.stringify({ held: [a], claims: { [b]: untilMs } })
  const child = Bun.spawn([process.execPath, '-e', ''])
  await child.exited
  await scratch.write(`store/leases/${child.pid}.1.x.${hostname()}`, content(Date.now() + 1e6))
  expect(await readLeases(leases)).toEqual(new Set())
  await scratch.write('store/leases/1.1.x.elsewhere', content(Date.now() - 1))
  expect(await readLeases(leases)).toEqual(new Set([a]))
})
