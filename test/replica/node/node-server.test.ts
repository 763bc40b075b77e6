import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { frameKinds } from '../../../runtime/replica/frame.ts'
import type { ReplicaReport, RunnerOrder } from '../../../runtime/replica/message.ts'
import { ContentOffer } from '../../../runtime/replica/node/content-offer.ts'
import { type DialledNode, dialNode } from '../../../runtime/replica/node/dial.ts'
import type { NodeMessage } from '../../../runtime/replica/node/message.ts'
import { NodeServer } from '../../../runtime/replica/node/node-server.ts'
import { isAlive } from '../../support/process-table.ts'
import { until } from '../../support/server.ts'
import { frameOf, type NodeScene, openNodeScene, Stranger } from './node-scene.ts'

let scene: NodeScene

beforeEach(async () => {
  scene = await openNodeScene()
})
afterEach(() => scene[Symbol.asyncDispose]())

/** A gateway that has proved itself, and what it hears. */
async function dial(): Promise<DialledNode & { heard: NodeMessage[]; lost: () => string | null }> {
  const dialled = await dialNode(scene.address, scene.security, new ContentOffer())
  const heard: NodeMessage[] = []
  let lost: string | null = null
  dialled.control.open({
    received: (message) => void heard.push(message),
    closed: (why) => {
      lost = why
    },
  })
  return { ...dialled, heard, lost: () => lost }
}

/** Asks for a replica and waits until it takes orders. */
async function startReplica() {
  const gateway = await dial()
  gateway.control.send({ kind: 'replica', expectsModels: false })
  const isReady = (message: NodeMessage) => message.kind === 'report' && message.report.kind === 'ready'
  await until(() => gateway.heard.some(isReady))
  const started = gateway.heard.find((message) => message.kind === 'started')
  return { ...gateway, pid: started?.kind === 'started' ? started.pid : 0 }
}

function reportsOf(heard: readonly NodeMessage[], kind: ReplicaReport['kind']): ReplicaReport[] {
  return heard.flatMap((message) =>
    message.kind === 'report' && message.report.kind === kind ? [message.report] : [],
  )
}

const order: RunnerOrder = {
  runner: 7,
  gateway: { host: '127.0.0.1', port: 1, authority: null },
  nonce: 'n',
  name: 'a',
  bundlePath: `${'ab'.repeat(32)}/a.js`,
  concurrency: 1,
  model: null,
  deployment: 'a',
  options: {},
  apart: [],
  parts: [],
  session: { provider: 'cpu', fallback: null, intraOpThreads: 0 },
  inputHosts: [],
  logLevel: 'error',
}

describe('a gateway that proves itself', () => {
  it('hears what the node is, and of every change', async () => {
    const { control, heard } = await dial()
    control.send({ kind: 'watch' })
    await until(() => heard.length === 1)
    scene.server.tell({ places: 3 })
    await until(() => heard.length === 2)
    expect(heard).toMatchObject([{ facts: { places: 1 } }, { facts: { places: 3, id: 'test' } }])
  })

  it('has a replica as long as it is connected', async () => {
    const { control, pid } = await startReplica()
    expect(isAlive(pid)).toBe(true)
    control.close('the test has seen enough')
    await until(() => !isAlive(pid))
    expect(scene.server.replicas).toBe(0)
  })

  it('is told when its replica dies, and nothing more', async () => {
    const { pid, heard, lost } = await startReplica()
    process.kill(pid, 'SIGKILL')
    await until(() => lost() !== null)
    expect(heard.at(-1)).toEqual({ kind: 'ended', how: 'signal SIGKILL' })
  })

  it('can let its replica end by itself', async () => {
    const { control, pid, heard, lost } = await startReplica()
    control.send({ kind: 'disconnect' })
    await until(() => lost() !== null)
    expect([heard.at(-1), isAlive(pid)]).toEqual([{ kind: 'ended', how: 'exit code 0' }, false])
  })

  it('has one replica at a time', async () => {
    const { control, lost, pid } = await startReplica()
    control.send({ kind: 'replica', expectsModels: false })
    await until(() => lost() !== null && !isAlive(pid))
  })

  it.each([
    ['../../../etc/passwd', 'no file of its content'],
    [`${'ab'.repeat(32)}/../../up.js`, 'no file of its content'],
    [`${'ab'.repeat(32)}/..`, 'no file of its content'],
    ['../up/a.js', 'no file of its content'],
    ['no-digest/a.js', 'no digest of content'],
    [`${'ab'.repeat(32)}/a.js`, 'not to be had'],
  ])('is refused a runner of %s, and keeps its replica', async (bundlePath, why) => {
    const { control, heard, pid } = await startReplica()
    control.send({ kind: 'command', command: { kind: 'start', order: { ...order, bundlePath } } })
    await until(() => reportsOf(heard, 'ended').length === 1)
    expect(reportsOf(heard, 'ended')).toEqual([
      { kind: 'ended', runner: 7, refusal: { lack: 'files', why: expect.stringContaining(why) } },
    ])
    expect(isAlive(pid)).toBe(true)
  })

  it('is refused a runner that it would have connect to a socket of the node', async () => {
    const { digest } = await scene.own.offerFile(scene.passive.entryPath)
    const { control, heard } = await startReplica()
    const hostile = { ...order, bundlePath: `${digest}/passive.ts`, gateway: { unix: '/tmp/of-somebody' } }
    control.send({ kind: 'command', command: { kind: 'start', order: hostile } })
    await until(() => reportsOf(heard, 'ended').length === 1)
    expect(reportsOf(heard, 'ended')).toMatchObject([
      { refusal: { why: expect.stringContaining('unix socket') } },
    ])
  })

  it('is let go of when the node ends, with its replica', async () => {
    const { pid, lost } = await startReplica()
    await scene.server.close(0)
    await until(() => lost() !== null && !isAlive(pid))
  })
})

describe('a stranger', () => {
  it.each([
    ['bytes of no meaning', randomBytes(256)],
    ['a frame without end', frameOf(frameKinds.control, new Uint8Array(), 2 ** 31 - 1)],
    ['more than a stranger may say', frameOf(frameKinds.control, Buffer.alloc(8_192, 32))],
    ['JSON that is none', frameOf(frameKinds.control, Buffer.from('{"kind":'))],
    ['a question', frameOf(frameKinds.question, Buffer.from('{"ask":"listing","digest":"a"}'))],
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nhost: a\r\n\r\n')],
    [
      'a flood of messages',
      Buffer.concat(
        Array.from({ length: 64 }, () => frameOf(frameKinds.control, Buffer.from('{"kind":"hello"}'))),
      ),
    ],
  ])('that sends %s is put out', async (_, bytes) => {
    const stranger = await Stranger.connect(scene.address)
    stranger.send(bytes)
    await until(() => stranger.ended)
    expect(Buffer.concat(stranger.received).toString()).not.toContain('facts')
    expect((await dial()).control.closed).toBe(false)
  })

  it('is put out whatever it sends', async () => {
    await fc.assert(
      fc.asyncProperty(fc.anything(), fc.integer({ min: 0, max: 255 }), async (message, kind) => {
        const stranger = await Stranger.connect(scene.address)
        stranger.say(message, kind)
        stranger.say({ kind: 'replica', expectsModels: false })
        stranger.say({ kind: 'watch' })
        await until(() => stranger.ended)
        expect(scene.server.replicas).toBe(0)
      }),
      { numRuns: 50 },
    )
    expect((await dial()).control.closed).toBe(false)
  })

  it('gets nothing by asking before it has proved itself', async () => {
    const stranger = await Stranger.connect(scene.address)
    stranger.say({ kind: 'hello', protocol: 1, random: randomBytes(32).toString('base64url'), keyed: true })
    await until(() => stranger.received.length > 0)
    stranger.say({ kind: 'replica', expectsModels: false })
    await until(() => stranger.ended)
    expect(scene.server.replicas).toBe(0)
  })

  it('that says nothing, or little at a time, is put out in time', async () => {
    const silent = await Stranger.connect(scene.address)
    const slow = await Stranger.connect(scene.address)
    const drip = setInterval(() => slow.send(new Uint8Array(1)), 500)
    await until(() => silent.ended && slow.ended)
    clearInterval(drip)
  })

  it('is one of few: a crowd of them keeps no gateway out for long', async () => {
    const crowd = await Promise.all(Array.from({ length: 100 }, () => Stranger.connect(scene.address)))
    await until(() => crowd.filter(({ ended }) => ended).length >= 36)
    for (const stranger of crowd) stranger.close()
    await expect
      .poll(
        () =>
          dial().then(
            () => true,
            () => false,
          ),
        { timeout: 5_000 },
      )
      .toBe(true)
  })

  it('with another key is refused, and the log says so without the key', async () => {
    const security = { key: randomBytes(32), tls: null }
    await expect(dialNode(scene.address, security, new ContentOffer())).rejects.toMatchObject({
      reason: 'key',
    })
    await until(() => scene.log.includes('A gateway was not let in'))
  })
})

it('does not listen for everybody without a key', () => {
  const make = () =>
    new NodeServer({
      address: { host: '0.0.0.0', port: 0 },
      security: { key: null, tls: null },
    } as ConstructorParameters<typeof NodeServer>[0])
  expect(make).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
})
