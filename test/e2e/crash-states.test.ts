import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readResidency } from '../bench/residency.ts'
import { makeReplicaWorkshop, outcomeOf, type ReplicaWorkshop } from '../replica/replica-workshop.ts'
import { startServer, until } from '../support/server.ts'
import { expectGone, makeCrashProject, replicasOf, startMixedLoad } from './crash-project.ts'

const poolFile = new URL('../../runtime/replica/pool.ts', import.meta.url).pathname
const replicaFile = new URL('../../runtime/entry/replica.ts', import.meta.url).pathname
const queueFile = new URL('../../runtime/replica/queue.ts', import.meta.url).pathname

/** A gateway that has a replica of every kind, one of them in a loop without end; it says which they are. */
const gateway = (options: unknown, deployment: unknown): string => `
import { ReplicaPool } from ${JSON.stringify(poolFile)}
import { RequestQueue } from ${JSON.stringify(queueFile)}

const log = { debug() {}, info() {}, warn() {}, error() {} }
const nothing = () => undefined
const tallies = { restarts: { add() {} } }
let isolated = null
const pool = new ReplicaPool({ ...${JSON.stringify(options)}, log, tallies, maxReplicaLoads: 1 }, {
  replicaReady: nothing, frame: nothing, ended: nothing, leaving: nothing,
  spareReady() {
    if (isolated === null) {
      isolated = pool.takeSpare()
      pool.start(pool.replicas[0], new RequestQueue('key', { deployment: ${JSON.stringify(deployment)}, model: null, tally: null }))
    }
  },
})
const say = () => process.stdout.write(JSON.stringify([...pool.processes].map(({ pid, state, ready }) => [pid, state, ready])) + '\\n')
say()
const timer = setInterval(() => {
  const states = [...pool.processes].map(({ state, ready }) => ready && state)
  if (!['serving', 'spare', 'leaving', 'isolated'].every((state) => states.includes(state))) return
  clearInterval(timer)
  say()
}, 10)
`

/** A replica that gets no more memory, soon after its start, than it has and some threads need. */
const limited = (marker: string): string => `
import { dlopen } from 'bun:ffi'
import { readFileSync, writeFileSync } from 'node:fs'

await import(${JSON.stringify(replicaFile)})
const addressSpace = 9
const { symbols } = dlopen('libc.so.6', { setrlimit: { args: ['i32', 'ptr'], returns: 'i32' } })
setTimeout(() => {
  const [pages] = readFileSync('/proc/self/statm', 'utf8').split(' ')
  const bytes = BigInt(pages) * 4096n + 8_000_000n
  symbols.setrlimit(addressSpace, new BigUint64Array([bytes, bytes]))
  writeFileSync(${JSON.stringify(marker)}, 'limited')
}, 300)
`

type Said = readonly (readonly [pid: number, state: string])[]

let workshop: ReplicaWorkshop

beforeEach(async () => {
  workshop = await makeReplicaWorkshop()
})
afterEach(() => workshop[Symbol.asyncDispose]())

describe.runIf(process.platform === 'linux')('a gateway that is killed', () => {
  it.each([
    ['of every kind', 2, null],
    ['of every kind, which are stopped', 2, 'SIGSTOP'],
    ['that only come up', 1, null],
  ] as const)('takes replicas along %s', async (_, lines, signal) => {
    const { log: _log, ...options } = workshop.options
    const file = join(workshop.directory, 'gateway.ts')
    const begun = join(workshop.directory, 'begun')
    const spin = `appendFileSync(${JSON.stringify(begun)}, 'begun')\nfor (;;);`
    await writeFile(file, gateway(options, await workshop.deploy('spins', spin)))
    const owner = Bun.spawn([process.execPath, file], { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    const decoder = new TextDecoder()
    const reader = owner.stdout.getReader()
    while (text.split('\n').length <= lines) text += decoder.decode((await reader.read()).value)
    const said: Said = JSON.parse(text.split('\n')[lines - 1] ?? '')
    if (lines === 2) await until(() => Bun.file(begun).exists())
    const pids = said.map(([pid]) => pid)
    for (const pid of pids) if (signal) process.kill(pid, signal)
    owner.kill('SIGKILL')
    await expectGone(pids)
    expect(new Set(said.map(([, state]) => state)).size).toBe(lines === 2 ? 4 : 1)
  })
})

describe.runIf(process.platform === 'linux')('a replica that is stopped rather than killed', () => {
  it('costs no request under load, and has a successor', async () => {
    await using project = await makeCrashProject()
    await using server = await startServer(project, 'serve', ['--replicas', '2'])
    const load = startMixedLoad(server)
    // One that has said how it is has come up.
    await until(async () => {
      const { replicas } = await readResidency(project.directory)
      return replicas.filter(({ residentSetBytes }) => residentSetBytes > 0).length === 3
    })
    await until(() => load.answered > 50)
    const stopped = await replicasOf(server)
    for (const pid of stopped) process.kill(pid, 'SIGSTOP')
    await until(async () => (await replicasOf(server)).every((pid) => !stopped.includes(pid)))
    const before = load.answered
    await until(() => load.answered > before + 50)
    await load.stop()
    expect(load.failures).toEqual([])
    expect(server.log()).toContain('A replica gives no sign of life and is ended')
  }, 30_000)
})

describe.runIf(process.platform === 'linux')('a replica that has no memory for another thread', () => {
  it('refuses the runner, and goes on with those that it has', async () => {
    const entry = join(workshop.directory, 'limited.ts')
    const marker = join(workshop.directory, 'marker')
    await writeFile(entry, limited(marker))
    const scheduler = workshop.open({ replicaEntryPath: entry })
    const up = 'export default defineFunction({ handler: () => process.pid })'
    const first = await workshop.deploy('first', up)
    const pid = await outcomeOf(scheduler, first, undefined)
    await until(() => Bun.file(marker).exists())
    const outcomes: unknown[] = []
    await until(async () => {
      outcomes.push(await outcomeOf(scheduler, await workshop.deploy('another', up), undefined))
      return outcomes.at(-1) !== pid
    })
    expect(outcomes.at(-1)).toBe('QUEUE_FULL')
    expect(await outcomeOf(scheduler, first, undefined)).toBe(pid)
    expect(workshop.log).toContainEqual(
      expect.objectContaining({ refusal: expect.objectContaining({ lack: 'thread' }) }),
    )
  })
})
