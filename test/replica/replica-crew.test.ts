import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CrewOptions } from '../../runtime/replica/crew-options.ts'
import { ReplicaCrew } from '../../runtime/replica/replica-crew.ts'
import type { ReplicaProcess } from '../../runtime/replica/replica-process.ts'
import type { RestartCause } from '../../runtime/replica/tallies.ts'
import { until } from '../support/server.ts'
import { type PassiveReplica, writePassiveReplica } from './passive-replica.ts'
import { makeReplicaWorkshop, type ReplicaWorkshop } from './replica-workshop.ts'

let workshop: ReplicaWorkshop
let passive: PassiveReplica
let crew: ReplicaCrew
let told: string[]
/** What a test does between a death and the filling of the place. */
let beforeFill: (() => void) | null = null

beforeEach(async () => {
  workshop = await makeReplicaWorkshop()
  passive = await writePassiveReplica(workshop.directory)
  told = []
  beforeFill = null
})
afterEach(async () => {
  crew.close()
  const processes = [...crew.processes]
  for (const replica of processes) replica.kill()
  await Promise.all(processes.map(({ ended }) => ended))
  await workshop[Symbol.asyncDispose]()
})

function open(options: Partial<CrewOptions> = {}): ReplicaCrew {
  crew = new ReplicaCrew(
    { ...workshop.options, replicaEntryPath: passive.entryPath, ...options },
    {
      replicaReady: () => told.push('ready'),
      spareReady: () => told.push('spare'),
      leaving: ({ pid }) => told.push(`leaving ${pid}`),
      runnerEnded: () => undefined,
      died: ({ pid }) => {
        told.push(`died ${pid}`)
        beforeFill?.()
        crew.fill()
      },
    },
  )
  return crew
}

/** The restarts so far, by why. */
function restarts(): Partial<Record<RestartCause, number>> {
  return Object.fromEntries(workshop.options.tallies.restarts.entries)
}

/** What each process is there for, by its number. */
function states(): string[] {
  return [...crew.processes].map(({ number, state }) => `${number} ${state}`).toSorted()
}

function pidsOf(state: ReplicaProcess['state']): number[] {
  return [...crew.processes].filter((replica) => replica.state === state).map(({ pid }) => pid)
}

/** Waits until so many replicas serve and a spare is at hand. */
async function untilComplete(count = 1): Promise<void> {
  await until(() => {
    const spares = [...crew.processes].filter(({ state, ready }) => state === 'spare' && ready)
    return crew.serving.length === count && spares.length === 1
  })
}

function linesOf(message: string): number {
  return workshop.log.filter((line) => line.message === message).length
}

describe('a spare', () => {
  it('is started once all replicas serve', async () => {
    open({ replicas: 2 })
    expect(states()).toEqual(['0 starting', '1 starting'])
    await untilComplete(2)
    expect(states()).toEqual(['0 serving', '1 serving', '2 spare'])
    expect(told).toEqual(['ready', 'ready', 'spare'])
  })

  it('takes the place of one that dies, and has a successor', async () => {
    open({ replicas: 2 })
    await untilComplete(2)
    const [spare] = pidsOf('spare')
    const victim = crew.serving.find(({ number }) => number === 1)
    victim?.kill()
    await until(() => told.includes(`died ${victim?.pid}`))
    expect(crew.serving.find(({ number }) => number === 1)?.pid).toBe(spare)
    expect(told.slice(3, 5)).toEqual([`died ${victim?.pid}`, 'ready'])
    await untilComplete(2)
    expect(restarts()).toEqual({ crashed: 1 })
  })

  it('that still comes up has the place of one that dies as soon as it has', async () => {
    open()
    await until(() => pidsOf('spare').length === 1)
    const [spare] = pidsOf('spare')
    crew.serving[0]?.kill()
    await until(() => pidsOf('serving')[0] === spare)
    await untilComplete()
  })

  it('that dies has a successor', async () => {
    open()
    await untilComplete()
    const [spare] = pidsOf('spare')
    process.kill(spare ?? 0, 'SIGKILL')
    await until(() => told.includes(`died ${spare}`))
    await untilComplete()
    expect(linesOf('A spare replica died and is replaced')).toBe(1)
    expect(told.filter((text) => text === 'ready')).toHaveLength(1)
  })

  it('is not started over and over without a pause where spares die of their start', async () => {
    const first = join(workshop.directory, 'first')
    await writeFile(first, '')
    const source = await readFile(passive.entryPath, 'utf8')
    const guard = `import { rmSync } from 'node:fs'\ntry { rmSync('${first}') } catch { process.exit(3) }\n`
    await writeFile(passive.entryPath, guard + source)
    const startedMs = performance.now()
    open()
    await until(() => linesOf('A spare replica died and is replaced') === 5)
    expect(performance.now() - startedMs).toBeGreaterThan(100 + 200 + 400)
    expect(restarts()).toEqual({ start: 5 })
    expect(crew.serving).toHaveLength(1)
  })
})

describe('a replica that is given away', () => {
  it('is given to nobody while a place is empty', async () => {
    open()
    await untilComplete()
    const given: unknown[] = []
    beforeFill = () => given.push(crew.takeSpare())
    const [spare] = pidsOf('spare')
    for (const victim of crew.serving) victim.kill()
    await until(() => given.length === 1)
    expect(given).toEqual([null])
    expect(crew.serving.map(({ pid }) => pid)).toEqual([spare])
  })

  it('is there where a spare is at hand, and is nobody else’s', async () => {
    open()
    expect(crew.takeSpare()).toBeNull()
    await untilComplete()
    const replica = crew.takeSpare()
    expect(replica?.state).toBe('isolated')
    expect(crew.serving).not.toContain(replica)
    expect(crew.takeSpare()).toBeNull()
    await untilComplete()
    expect(states()).toEqual(['0 serving', '1 isolated', '2 spare'])
  })

  it('leaves nothing to be replaced when it dies', async () => {
    open()
    await untilComplete()
    const replica = crew.takeSpare()
    await untilComplete()
    const before = pidsOf('spare')
    replica?.kill()
    await until(() => told.includes(`died ${replica?.pid}`))
    expect(states()).toEqual(['0 serving', '2 spare'])
    expect(pidsOf('spare')).toEqual(before)
    expect(linesOf('A replica that was set apart died')).toBe(1)
  })

  it('ends when it is dismissed, and that is no death', async () => {
    open()
    await untilComplete()
    const replica = crew.takeSpare()
    if (replica) crew.dismiss(replica)
    await replica?.ended
    await untilComplete()
    expect(workshop.log).toEqual([])
    expect(restarts().crashed).toBeUndefined()
  })
})

describe('a replica beyond its limits', () => {
  it('is replaced by the spare, and ends', async () => {
    open({ maxReplicaBytes: 1_000 })
    await untilComplete()
    const [old] = crew.serving
    const [spare] = pidsOf('spare')
    await passive.sayMemory(1_001)
    await until(() => told.includes(`leaving ${old?.pid}`))
    expect(crew.serving.map(({ pid, number }) => [pid, number])).toEqual([[spare, 0]])
    await old?.ended
    await until(() => told.includes(`died ${old?.pid}`))
    expect(restarts()).toEqual({ memory: 1 })
  })

  it('is not replaced in a circle where a fresh one is beyond them at once, and that is said', async () => {
    await passive.sayMemory(1_001)
    open({ maxReplicaBytes: 1_000 })
    await until(() => told.some((text) => text.startsWith('died')))
    await untilComplete()
    const [fresh] = crew.serving
    for (let report = 0; report < 4; report += 1) {
      const before = fresh?.health
      await until(() => fresh?.health !== before)
    }
    expect(fresh?.health.residentSetBytes).toBe(1_001)
    expect(crew.serving).toEqual([fresh])
    const warnings = workshop.log.filter(({ level }) => level === 'warn').map(({ message }) => message)
    expect(warnings).toEqual([expect.stringContaining('raise it')])
  })
})

describe('another size', () => {
  it('takes the spare first where it grows, and has another spare come up', async () => {
    open()
    await untilComplete()
    const [spare] = pidsOf('spare')
    crew.resize(2)
    expect(crew.serving.find(({ number }) => number === 1)?.pid).toBe(spare)
    await untilComplete(2)
    expect(states()).toEqual(['0 serving', '1 serving', '2 spare'])
  })

  it('starts those for whom there is no spare', async () => {
    open()
    await untilComplete()
    crew.resize(3)
    await untilComplete(3)
    expect(states()).toEqual(['0 serving', '1 serving', '2 serving', '3 spare'])
    expect(restarts()).toEqual({})
  })

  it('lets those go that are too many, which is no death', async () => {
    open({ replicas: 3 })
    await untilComplete(3)
    const [first] = pidsOf('serving')
    crew.resize(1)
    await until(() => crew.serving.length === 1 && [...crew.processes].length === 2)
    expect(crew.serving[0]?.pid).toBe(first)
    expect(told.filter((text) => text.startsWith('leaving'))).toHaveLength(2)
    expect(restarts()).toEqual({})
    await untilComplete()
  })

  it('of none leaves no spare either, and one comes again by itself', async () => {
    open()
    await untilComplete()
    crew.resize(0)
    await until(() => [...crew.processes].length === 0)
    crew.resize(1)
    await untilComplete()
  })

  it('takes back what still comes up', async () => {
    open()
    crew.resize(0)
    await until(() => [...crew.processes].length === 0)
    expect(restarts()).toEqual({})
    expect(crew.serving).toEqual([])
  })
})
