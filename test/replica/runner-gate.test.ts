import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Frame, frameKinds } from '../../runtime/replica/frame.ts'
import { RunnerGate } from '../../runtime/replica/runner-gate.ts'
import type { RunnerLink } from '../../runtime/replica/runner-link.ts'
import { until } from '../support/server.ts'
import { frameOf, Stranger } from './node/node-scene.ts'

/** As much of a runner as its gate knows. */
class ExpectedRunner {
  readonly id = 7
  readonly nonce = 'a word in the open'
  readonly replica = { wordOf: (nonce: string): string => `${nonce}, made secret` }
  connections = 0

  connect(): void {
    this.connections += 1
  }
}

let directory: string
let gate: RunnerGate
let runner: ExpectedRunner
let frames: Frame[]
let told: string[]

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'isoplex-gate-'))
  runner = new ExpectedRunner()
  frames = []
  told = []
  const quiet = () => undefined
  gate = new RunnerGate(
    join(directory, 'gate.sock'),
    { debug: quiet, info: quiet, warn: quiet, error: quiet },
    {
      find: (id) => (id === runner.id ? (runner as unknown as RunnerLink) : undefined),
      frame: (_, frame) => void frames.push(frame),
      disconnected: () => void told.push('disconnected'),
      unreadable: () => void told.push('unreadable'),
    },
  )
})
afterEach(async () => {
  gate.close()
  await rm(directory, { recursive: true, force: true })
})

function arrive(): Promise<Stranger> {
  return Stranger.connect({ host: '127.0.0.1', port: gate.portAt({ hostname: '127.0.0.1' }) })
}

const greeting = { runner: 7, nonce: 'a word in the open, made secret' }

describe('a runner of another machine', () => {
  it('is let in by the word of its replica, and what it sends with it is heard', async () => {
    const stranger = await arrive()
    stranger.say(greeting, frameKinds.hello)
    stranger.say({}, frameKinds.ready)
    await until(() => frames.length === 1)
    // More than a stranger may say.
    stranger.send(frameOf(frameKinds.reply, Buffer.alloc(8_192)))
    await until(() => frames.length === 2)
    expect([runner.connections, frames[1]?.payload.length]).toEqual([1, 8_192])
    stranger.close()
    await until(() => told.includes('disconnected'))
  })

  it('is let in once: who repeats its word is not', async () => {
    const first = await arrive()
    first.say(greeting, frameKinds.hello)
    await until(() => runner.connections === 1)
    first.close()
    await until(() => told.includes('disconnected'))
    const second = await arrive()
    second.say(greeting, frameKinds.hello)
    await until(() => second.ended)
    expect(runner.connections).toBe(1)
  })

  it('is put out when what it sends cannot be read', async () => {
    const stranger = await arrive()
    stranger.say(greeting, frameKinds.hello)
    await until(() => runner.connections === 1)
    stranger.send(frameOf(frameKinds.reply, new Uint8Array(), 2 ** 32 - 1))
    await until(() => stranger.ended)
    expect(told).toContain('unreadable')
  })
})

describe('a stranger', () => {
  it.each<[string, Uint8Array]>([
    ['the word that was said in the open', said({ runner: 7, nonce: 'a word in the open' })],
    ['the word of nobody', said({ runner: 8, nonce: greeting.nonce })],
    ['no word', said({ runner: 7 })],
    ['nothing that is an object', said(null)],
    ['something else than a greeting', frameOf(frameKinds.reply, Buffer.from(JSON.stringify(greeting)))],
    ['more than a greeting takes', said({ ...greeting, more: 'x'.repeat(8_192) })],
    ['no frame', Buffer.from('GET / HTTP/1.1\r\nhost: example\r\n\r\n')],
  ])('with %s is put out', async (_, bytes) => {
    const stranger = await arrive()
    stranger.send(bytes)
    await until(() => stranger.ended)
    expect([runner.connections, frames]).toEqual([0, []])
  })

  it('that says nothing is put out in time', async () => {
    const stranger = await arrive()
    await until(() => stranger.ended)
  })
})

it('opens one door for each address', () => {
  const port = gate.portAt({ hostname: '127.0.0.1' })
  expect(gate.portAt({ hostname: '127.0.0.1' })).toBe(port)
})

function said(message: unknown): Uint8Array {
  return frameOf(frameKinds.hello, Buffer.from(JSON.stringify(message)))
}
