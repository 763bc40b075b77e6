import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ReplicaProcess } from '../../runtime/replica/replica-process.ts'
import { SilenceWatch } from '../../runtime/replica/silence-watch.ts'
import { until } from '../support/server.ts'
import { type PassiveReplica, writePassiveReplica } from './passive-replica.ts'

let directory: string
let passive: PassiveReplica
let ended: (() => unknown)[]

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'isoplex-silence-'))
  passive = await writePassiveReplica(directory)
  ended = []
})
afterEach(async () => {
  for (const end of ended) await end()
  await rm(directory, { recursive: true })
})

/** A replica that has come up. */
async function start(entryPath = passive.entryPath): Promise<ReplicaProcess> {
  const events = {
    ready: () => undefined,
    reported: () => undefined,
    runnerEnded: () => undefined,
    died: () => undefined,
  }
  const replica = new ReplicaProcess(0, { entryPath, environment: {} }, events)
  ended.push(() => {
    replica.kill()
    return replica.ended
  })
  await until(() => replica.ready)
  return replica
}

/** Watches replicas, and gives those that are given up as they are. */
function watch(...replicas: ReplicaProcess[]): ReplicaProcess[] {
  const givenUp: ReplicaProcess[] = []
  const silence = new SilenceWatch(replicas, (replica) => {
    if (!givenUp.includes(replica)) givenUp.push(replica)
  })
  ended.push(() => silence.close())
  return givenUp
}

describe('a replica', () => {
  it.runIf(process.platform === 'linux')('that is stopped is given up, and no other', async () => {
    const [stopped, busy] = [await start(), await start()]
    const givenUp = watch(stopped, busy)
    process.kill(stopped.pid, 'SIGSTOP')
    await until(() => givenUp.length > 0)
    expect(givenUp).toEqual([stopped])
    expect(busy.silence).toBeLessThanOrEqual(2)
  })

  it('whose main thread stands still is given up after a longer while', async () => {
    const entryPath = join(directory, 'stuck.ts')
    await writeFile(entryPath, "process.send({ kind: 'ready' })\nsetTimeout(() => { for (;;); }, 100)")
    const replica = await start(entryPath)
    const startedMs = performance.now()
    const givenUp = watch(replica)
    await until(() => givenUp.length > 0)
    expect(performance.now() - startedMs).toBeGreaterThan(10_000)
  }, 40_000)
})

describe('a gateway that stood still itself', () => {
  it.runIf(process.platform === 'linux')(
    'gives nobody up for it',
    async () => {
      const module = (name: string): string =>
        JSON.stringify(new URL(`../../runtime/replica/${name}.ts`, import.meta.url).pathname)
      const source = `
import { ReplicaProcess } from ${module('replica-process')}
import { SilenceWatch } from ${module('silence-watch')}
const say = (what) => process.send(what)
const replica = new ReplicaProcess(0, { entryPath: ${JSON.stringify(passive.entryPath)}, environment: {} }, {
  ready: () => say({ pid: replica.pid }),
  reported: () => say('reported'),
  runnerEnded: () => undefined,
  died: () => say('died'),
})
new SilenceWatch([replica], () => say('given up'))
`
      const heard: unknown[] = []
      const gateway = Bun.spawn([process.execPath, '-e', source], {
        stdio: ['ignore', 'inherit', 'inherit'],
        ipc: (message: unknown) => heard.push(message),
      })
      ended.push(() => {
        gateway.kill('SIGKILL')
        return gateway.exited
      })
      await until(() => heard.length > 0)
      const { pid } = heard[0] as { readonly pid: number }
      for (const stopped of [gateway.pid, pid]) process.kill(stopped, 'SIGSTOP')
      await Bun.sleep(6_000)
      const before = heard.length
      process.kill(gateway.pid, 'SIGCONT')
      // The replica wakes later than its gateway, as happens where a whole machine was asleep.
      await Bun.sleep(1_500)
      process.kill(pid, 'SIGCONT')
      await until(() => heard.length > before + 30)
      expect(heard.slice(before)).toEqual(Array(heard.length - before).fill('reported'))
    },
    30_000,
  )
})
