import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ReplicaProcess } from '../../runtime/replica/replica-process.ts'
import { isAlive } from '../support/process-table.ts'
import { until } from '../support/server.ts'

const groupFile = new URL('../../runtime/entry/process-group.ts', import.meta.url).pathname

let directory: string
let told: string[]
let replica: ReplicaProcess | null

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'isoplex-process-'))
  told = []
  replica = null
})
afterEach(async () => {
  replica?.kill()
  await replica?.ended
  await rm(directory, { recursive: true })
})

/** Starts a process that runs this text. */
async function start(text: string, startTimeoutMs = 20_000): Promise<ReplicaProcess> {
  const entryPath = join(directory, 'entry.ts')
  await writeFile(entryPath, text)
  replica = new ReplicaProcess(
    3,
    { entryPath, environment: { PATH: process.env.PATH ?? '', GIVEN: 'yes' }, startTimeoutMs },
    {
      ready: () => told.push('ready'),
      reported: () => told.push('reported'),
      runnerEnded: (runner) => told.push(`ended ${runner}`),
      died: (how) => told.push(how),
    },
  )
  return replica
}

/** Says what it is told, as ends of runners whose numbers are the orders'. */
const obedient = `
process.on('disconnect', () => process.exit(0))
process.on('message', ({ kind, order, runner }) => {
  process.send({ kind: 'ended', runner: kind === 'start' ? order.runner : -runner, refusal: null })
})
process.send({ kind: 'ready' })
`

it('takes orders once it has said so, and tells what it is told', async () => {
  const process = await start(obedient)
  expect(process.ready).toBe(false)
  await until(() => process.ready)
  process.start({ runner: 7 } as Parameters<ReplicaProcess['start']>[0])
  process.terminate(7)
  await until(() => told.length === 3)
  expect(told).toEqual(['ready', 'ended 7', 'ended -7'])
  expect([process.number, process.dead]).toEqual([3, false])
})

it('ends by itself when its channel is closed', async () => {
  const process = await start(obedient)
  await until(() => process.ready)
  process.disconnect()
  await process.ended
  await until(() => told.length === 2)
  expect(told).toEqual(['ready', 'exit code 0'])
  expect([process.ready, process.dead]).toEqual([false, true])
})

it('takes orders after its death as the dead do', async () => {
  const process = await start(obedient)
  await until(() => process.ready)
  process.kill()
  process.terminate(1)
  await process.ended
  process.terminate(1)
  process.disconnect()
  process.kill()
  await until(() => told.length === 2)
  expect(told).toEqual(['ready', 'signal SIGKILL'])
})

it('is ended where it never says that it takes orders', async () => {
  await start('setInterval(() => undefined, 1000)', 200)
  await until(() => told.length === 1)
  expect(told).toEqual(['signal SIGKILL'])
})

it('sees the environment that it is given, is told its parent, and yields to it', async () => {
  const facts = `${directory}/facts`
  await start(`
import { getPriority } from 'node:os'
import { writeFileSync } from 'node:fs'
const { GIVEN, USER } = process.env
writeFileSync(${JSON.stringify(facts)}, JSON.stringify([GIVEN, USER ?? null, process.argv[2], getPriority()]))
process.exit(4)
`)
  await until(() => told.length === 1)
  expect(told).toEqual(['exit code 4'])
  const niceness = process.platform === 'win32' ? 0 : 5
  expect(await Bun.file(facts).json()).toEqual(['yes', null, String(process.pid), niceness])
})

it('says how it is', async () => {
  const replica = await start(`
process.send({ kind: 'ready' })
process.send({ kind: 'health', health: { residentSetBytes: 12, eventLoopLagMs: 3 } })
setInterval(() => undefined, 1000)
`)
  expect(replica.health).toEqual({ residentSetBytes: 0, eventLoopLagMs: 0 })
  await until(() => told.includes('reported'))
  expect(replica.health).toEqual({ residentSetBytes: 12, eventLoopLagMs: 3 })
})

it('counts the runners that were started in it, and knows since when it is what it is', async () => {
  const replica = await start(obedient)
  expect([replica.state, replica.loads, replica.sinceMs]).toEqual(['starting', 0, replica.startedMs])
  await until(() => replica.ready)
  replica.enter('serving')
  expect([replica.state, replica.sinceMs > replica.startedMs]).toEqual(['serving', true])
  for (const runner of [1, 2]) replica.start({ runner } as Parameters<ReplicaProcess['start']>[0])
  expect(replica.loads).toBe(2)
})

describe.runIf(process.platform === 'linux')('what its functions have started', () => {
  /** Starts a process that outlives its parent, and says which on a file. */
  const fertile = (file: string): string => `
import { writeFileSync } from 'node:fs'
import { leadProcessGroup } from ${JSON.stringify(groupFile)}
leadProcessGroup()
process.on('disconnect', () => process.exit(0))
const child = Bun.spawn(['sleep', '1000'], { stdio: ['ignore', 'ignore', 'ignore'] })
writeFileSync(${JSON.stringify(file)}, String(child.pid))
process.send({ kind: 'ready' })
`

  it.each([
    ['is killed', (replica: ReplicaProcess) => process.kill(replica.pid, 'SIGKILL')],
    ['is ended by its gateway', (replica: ReplicaProcess) => replica.kill()],
    ['is let go', (replica: ReplicaProcess) => replica.disconnect()],
    [
      'is ended while it is stopped',
      (replica: ReplicaProcess) => {
        process.kill(replica.pid, 'SIGSTOP')
        replica.kill()
      },
    ],
  ])('ends with it where it %s', async (_, end) => {
    const file = join(directory, 'child')
    const replica = await start(fertile(file))
    await until(() => replica.ready)
    const pid = Number(await Bun.file(file).text())
    expect(isAlive(pid)).toBe(true)
    end(replica)
    await replica.ended
    await until(() => !isAlive(pid))
  })
})
