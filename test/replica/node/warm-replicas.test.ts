import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { WarmReplicas } from '../../../runtime/replica/node/warm-replicas.ts'
import { isAlive } from '../../support/process-table.ts'
import { until } from '../../support/server.ts'
import { writePassiveReplica } from '../passive-replica.ts'

let directory: string
let warm: WarmReplicas

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'isoplex-warm-'))
  const { entryPath } = await writePassiveReplica(directory)
  const quiet = () => undefined
  const log = { debug: quiet, info: quiet, warn: quiet, error: quiet }
  warm = new WarmReplicas({ environment: { PATH: process.env.PATH ?? '' }, log, entryPath })
})
afterEach(async () => {
  await warm.close()
  await rm(directory, { recursive: true, force: true })
})

/** Takes a replica, and collects what is heard of it. */
function take() {
  const heard: string[] = []
  const child = warm.take({
    expectsModels: false,
    received: ({ kind }) => void heard.push(kind),
    ended: (how) => void heard.push(how),
  })
  return { child, heard }
}

/** The process ids of all replicas that are there. */
async function children(): Promise<number[]> {
  const command = ['ps', '-o', 'pid=,args=', '--ppid', String(process.pid)]
  const listing = await new Response(Bun.spawn(command, { stdout: 'pipe' }).stdout).text()
  const replicas = listing.split('\n').filter((line) => line.includes(directory))
  return replicas.map((line) => Number.parseInt(line, 10))
}

it('has one at hand, and another soon after it was taken', async () => {
  await until(async () => (await children()).length === 1)
  const [before] = await children()
  const { child, heard } = take()
  expect(child.pid).toBe(before)
  await until(() => heard.includes('ready'))
  await until(async () => (await children()).length === 2)
  child.kill()
  await child.ended
  expect(heard.at(-1)).toBe('signal SIGKILL')
})

it('starts one where none is at hand, and each hears of its own alone', async () => {
  const [one, two] = [take(), take()]
  expect(one.child.pid).not.toBe(two.child.pid)
  await until(() => one.heard.includes('ready') && two.heard.includes('ready'))
  one.child.kill()
  await one.child.ended
  expect(two.heard).not.toContain('signal SIGKILL')
  two.child.kill()
  await two.child.ended
})

it('replaces one that dies while it waits', async () => {
  await until(async () => (await children()).length === 1)
  const [pid = 0] = await children()
  process.kill(pid, 'SIGKILL')
  await until(() => !isAlive(pid))
  const { child, heard } = take()
  await until(() => heard.includes('ready'))
  child.kill()
  await child.ended
})

it('leaves nobody behind when it is closed', async () => {
  await until(async () => (await children()).length === 1)
  await warm.close()
  expect(await children()).toEqual([])
})
