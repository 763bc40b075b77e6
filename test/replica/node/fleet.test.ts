import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createStaticDirectory, type NodeDirectory } from '../../../runtime/replica/node/directory.ts'
import { NodeFleet } from '../../../runtime/replica/node/fleet.ts'
import {
  formatNodeAddress,
  type NodeAddress,
  type NodeSecurity,
} from '../../../runtime/replica/node/security.ts'
import type { RunnerDoor } from '../../../runtime/replica/runner-gate.ts'
import { until } from '../../support/server.ts'
import { type NodeScene, openNodeScene } from './node-scene.ts'

/** A directory that a test writes. */
class WrittenDirectory implements NodeDirectory {
  readonly name = 'test'
  disposed = false
  #changed: (nodes: readonly NodeAddress[]) => void = () => undefined

  follow(changed: (nodes: readonly NodeAddress[]) => void): void {
    this.#changed = changed
  }

  write(...scenes: readonly NodeScene[]): void {
    this.#changed(scenes.map(({ address }) => address))
  }

  [Symbol.dispose](): void {
    this.disposed = true
  }
}

const security: NodeSecurity = { key: randomBytes(32), tls: null }
const door: RunnerDoor = { portAt: () => 1 }
let scenes: NodeScene[]
let fleet: NodeFleet
let directory: WrittenDirectory

beforeEach(async () => {
  scenes = [await openNodeScene(security), await openNodeScene(security)]
  directory = new WrittenDirectory()
  fleet = open(directory)
})
afterEach(async () => {
  fleet.close()
  await Promise.all(scenes.map((scene) => scene[Symbol.asyncDispose]()))
})

function open(from: NodeDirectory, by: NodeSecurity = security): NodeFleet {
  const quiet = () => undefined
  const log = { debug: quiet, info: quiet, warn: quiet, error: quiet }
  return new NodeFleet({ directory: from, security: by, runnerAddress: null, log })
}

const states = (): string[] => fleet.report().map(({ state }) => state)
const scene = (index: number): NodeScene => {
  const found = scenes[index]
  if (!found) throw new RangeError('There is no such node.')
  return found
}

describe('the places of a fleet', () => {
  it('are those that its nodes offer, and keep their numbers as nodes come and go', async () => {
    directory.write(scene(0))
    await until(() => fleet.numbersFor().length === 1)
    directory.write(scene(0), scene(1))
    await until(() => fleet.numbersFor().length === 2)
    scene(1).server.tell({ places: 3 })
    await until(() => fleet.numbersFor().length === 4)
    scene(0).server.tell({ places: 0 })
    await until(() => fleet.numbersFor().length === 3)
    expect(fleet.numbersFor()).toEqual([1, 2, 3])
    scene(0).server.tell({ places: 1 })
    await until(() => fleet.numbersFor().length === 4)
    expect(fleet.numbersFor()).toEqual([0, 1, 2, 3])
  })

  it('are gone with a node that leaves, and with one that is lost', async () => {
    directory.write(...scenes)
    await until(() => fleet.numbersFor().length === 2)
    scene(0).server.tell({ leaving: true })
    await until(() => fleet.numbersFor().length === 1)
    expect(states().toSorted()).toEqual(['leaving', 'up'])
    await scene(1).server.close(0)
    await until(() => fleet.numbersFor().length === 0)
    expect(fleet.openerFor(0, door)).toBeNull()
    expect(fleet.openerFor(null, door)).toBeNull()
  })

  it('of a group are as many as it asks for, as long as a node is there', async () => {
    const group = fleet.group()
    expect(group.numbersFor(3)).toEqual([])
    directory.write(scene(0))
    await until(() => group.numbersFor(3).length === 3)
    expect(group.openerFor(2, door)).not.toBeNull()
  })

  it('are told of each time that they change, until nobody listens', async () => {
    let told = 0
    const following = fleet.onChange(() => {
      told += 1
    })
    directory.write(scene(0))
    await until(() => fleet.numbersFor().length === 1)
    expect(told).toBeGreaterThanOrEqual(1)
    following[Symbol.dispose]()
    const before = told
    directory.write(scene(0), scene(1))
    await until(() => fleet.numbersFor().length === 2)
    expect(told).toBe(before)
  })
})

describe('a node that is not named any more', () => {
  it('stays until one that is named is there', async () => {
    directory.write(scene(0))
    await until(() => fleet.up.length === 1)
    directory.write(scene(1))
    expect(fleet.numbersFor()).toHaveLength(1)
    const [kept, named] = scenes.map(({ address }) => formatNodeAddress(address))
    await until(() => fleet.up.length === 1 && fleet.up[0]?.name === named)
    expect(fleet.nodes.map(({ name }) => name)).not.toContain(kept)
    expect(fleet.numbersFor()).toHaveLength(1)
  })
})

describe('a replica of a fleet', () => {
  it('is one of its node, which a spare of that node may stand in for', async () => {
    directory.write(...scenes)
    await until(() => fleet.numbersFor().length === 2)
    const heard: string[] = []
    const channel = fleet.openerFor(
      0,
      door,
    )?.({
      expectsModels: false,
      received: ({ kind }) => heard.push(kind),
      ended: (how) => heard.push(how),
    })
    await until(() => heard.includes('ready'))
    expect(fleet.nodes.map(({ name }) => name)).toContain(channel?.node)
    channel?.kill()
    await channel?.ended
    expect(heard.at(-1)).toBe('it was ended')
  })
})

it('says why a node is not there', async () => {
  fleet.close()
  const stranger = open(createStaticDirectory([scene(0).address]), { key: randomBytes(32), tls: null })
  await until(() => stranger.report()[0]?.trouble !== '')
  expect(stranger.report()).toEqual([
    expect.objectContaining({
      state: 'missing',
      places: 0,
      version: null,
      trouble: expect.stringContaining('shared key'),
    }),
  ])
  stranger.close()
})

it('does not speak with a node of another machine unless both prove themselves', () => {
  const open_ = open(createStaticDirectory([{ host: '203.0.113.7', port: 1 }]), { key: null, tls: null })
  expect(open_.nodes).toEqual([])
  open_.close()
})

it('asks its directory no more once it is closed', () => {
  fleet.close()
  expect(directory.disposed).toBe(true)
})
