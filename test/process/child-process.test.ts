import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { getPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ChildProcess } from '../../runtime/process/child-process.ts'
import { isAlive } from '../support/process-table.ts'

const groupFile = new URL('../../runtime/entry/process-group.ts', import.meta.url).pathname

let directory: string
let told: unknown[]
let child: ChildProcess<unknown, unknown> | null

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'isoplex-child-'))
  told = []
  child = null
})
afterEach(async () => {
  child?.kill()
  await child?.ended
  await rm(directory, { recursive: true })
})

/** Starts a process that runs this text. */
async function start(text: string): Promise<ChildProcess<unknown, unknown>> {
  const entryPath = join(directory, 'entry.ts')
  await writeFile(entryPath, text)
  child = new ChildProcess({
    entryPath,
    facts: ['a fact'],
    environment: { PATH: process.env.PATH ?? '', GIVEN: 'yes' },
    received: (report) => told.push(report),
    ended: (how) => told.push(how),
  })
  return child
}

it('speaks with its parent, in order', async () => {
  const process = await start(`
globalThis.process.on('message', (command) => globalThis.process.send({ heard: command }))
globalThis.process.on('disconnect', () => globalThis.process.exit(0))
`)
  for (const command of [1, 'two', { three: [null] }]) process.send(command)
  await expect.poll(() => told).toEqual([{ heard: 1 }, { heard: 'two' }, { heard: { three: [null] } }])
  process.disconnect()
  await process.ended
  expect([told.at(-1), process.dead]).toEqual(['exit code 0', true])
})

it('sees what it is given alone, knows its parent, and yields to it', async () => {
  await writeFile(join(directory, '.env'), 'SECRET=1')
  const started = await start(`
import { getPriority } from 'node:os'
const { GIVEN, USER, SECRET } = process.env
process.send([GIVEN, USER ?? SECRET ?? null, process.argv.slice(2), getPriority()])
`)
  await started.ended
  const yields = process.platform === 'win32' ? 0 : 5
  expect(told).toEqual([
    ['yes', null, [String(process.pid), 'a fact'], getPriority() + yields],
    'exit code 0',
  ])
})

it('hears nothing once it is dead, and may be ended again', async () => {
  const process = await start('setInterval(() => undefined, 1000)')
  process.kill()
  process.send('into nowhere')
  await process.ended
  process.send('into nowhere')
  process.disconnect()
  process.kill()
  expect(told).toEqual(['signal SIGKILL'])
})

describe.runIf(process.platform === 'linux')('what it has started', () => {
  it.each([
    ['dies', (child: ChildProcess<unknown, unknown>) => process.kill(child.pid, 'SIGKILL')],
    ['is ended', (child: ChildProcess<unknown, unknown>) => child.kill()],
  ])('ends with it where it %s', async (_, end) => {
    const started = await start(`
import { leadProcessGroup } from ${JSON.stringify(groupFile)}
leadProcessGroup()
const { pid } = Bun.spawn(['sleep', '1000'], { stdio: ['ignore', 'ignore', 'ignore'] })
process.send(pid)
process.on('disconnect', () => process.exit(0))
`)
    await expect.poll(() => told.length).toBe(1)
    const pid = Number(told[0])
    expect(isAlive(pid)).toBe(true)
    end(started)
    await started.ended
    await expect.poll(() => isAlive(pid)).toBe(false)
  })
})
