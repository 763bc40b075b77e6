import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  answerHandshake,
  type HandshakeLine,
  isSameText,
  openHandshake,
  runnerWord,
  type SessionKey,
} from '../../../runtime/replica/node/handshake.ts'

const key = randomBytes(32)
const other = randomBytes(32)

/** Two ends of a line, with all that is said on it. */
function makeLine(): { gateway: HandshakeLine; node: HandshakeLine; said: unknown[] } {
  const said: unknown[] = []
  const [forth, back] = [makeQueue(said), makeQueue(said)]
  return {
    said,
    gateway: { say: forth.put, hear: back.take },
    node: { say: back.put, hear: forth.take },
  }
}

function makeQueue(said: unknown[]): { put(message: unknown): void; take(): Promise<unknown> } {
  const waiting: unknown[] = []
  const takers: ((message: unknown) => void)[] = []
  return {
    put(message) {
      said.push(message)
      const taker = takers.shift()
      if (taker) taker(message)
      else waiting.push(message)
    },
    take: () =>
      waiting.length > 0
        ? Promise.resolve(waiting.shift())
        : new Promise((resolve) => {
            takers.push(resolve)
          }),
  }
}

function meet(
  gatewayKey: Buffer | null,
  nodeKey: Buffer | null,
): Promise<PromiseSettledResult<SessionKey>[]> & { said: unknown[] } {
  const { gateway, node, said } = makeLine()
  const both = Promise.allSettled([openHandshake(gateway, gatewayKey), answerHandshake(node, nodeKey)])
  return Object.assign(both, { said })
}

function fulfilled(results: readonly PromiseSettledResult<SessionKey>[]): SessionKey[] {
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason
    return result.value
  })
}

describe('two ends', () => {
  it('with the same key agree on a key of their session, a new one each time, and say neither', async () => {
    const first = meet(key, key)
    const [gateway, node] = fulfilled(await first)
    const [again] = fulfilled(await meet(key, key))
    expect(gateway).toBeInstanceOf(Buffer)
    expect(node).toEqual(gateway)
    expect(again).not.toEqual(gateway)
    const said = JSON.stringify(first.said)
    for (const secret of [key, gateway ?? key])
      for (const form of ['base64', 'base64url', 'hex'] as const)
        expect(said).not.toContain(secret.toString(form))
  })

  it('without a key on either side have no key of their session', async () => {
    expect(fulfilled(await meet(null, null))).toEqual([null, null])
  })

  it.each([
    ['another key', key, other],
    ['a key on the side of the node alone', null, key],
    ['a key on the side of the gateway alone', key, null],
  ])('with %s both refuse', async (_, gatewayKey, nodeKey) => {
    expect(await meet(gatewayKey, nodeKey)).toMatchObject([
      { status: 'rejected', reason: { reason: 'key' } },
      { status: 'rejected', reason: { reason: 'key' } },
    ])
  })
})

/** Says what a gateway would, in the order given, and gives what the node makes of it. */
async function attack(words: (heard: unknown) => unknown, hello: unknown): Promise<unknown> {
  const { gateway, node } = makeLine()
  const answering = answerHandshake(node, key).catch((error: unknown) => error)
  gateway.say(hello)
  const heard = await Promise.race([gateway.hear(), answering])
  gateway.say(words(heard))
  return answering
}

const hello = { kind: 'hello', protocol: 1, random: randomBytes(32).toString('base64url'), keyed: true }

describe('a node', () => {
  it('does not take a proof that was made for another connection', async () => {
    const { gateway, node, said } = makeLine()
    await Promise.all([openHandshake(gateway, key), answerHandshake(node, key)])
    const [greeting, , proof] = said
    expect(await attack(() => proof, greeting)).toMatchObject({ reason: 'key' })
  })

  it('does not take its own proof back', async () => {
    const { said, gateway, node } = makeLine()
    await Promise.all([openHandshake(gateway, key), answerHandshake(node, key)])
    const welcome = said.at(-1) as { proof: string }
    expect(await attack(() => ({ kind: 'proof', proof: welcome.proof }), hello)).toMatchObject({
      reason: 'key',
    })
  })

  it('lets nobody in with words of any kind', async () => {
    const word = fc.oneof(
      fc.anything(),
      fc.record({ kind: fc.constantFrom('proof', 'welcome'), proof: fc.anything() }),
    )
    const greeting = fc.oneof(
      fc.constant(hello),
      fc.anything(),
      fc.record({ ...mapConstants(hello), random: fc.anything() }),
    )
    await fc.assert(
      fc.asyncProperty(word, greeting, async (said, first) => {
        expect(await attack(() => said, first)).toBeInstanceOf(Error)
      }),
    )
  })

  it('of another protocol is told apart', async () => {
    expect(await attack(() => null, { ...hello, protocol: 2 })).toMatchObject({ reason: 'protocol' })
  })
})

describe('a gateway', () => {
  it('does not trust a node that proves nothing, or what it said itself', async () => {
    for (const proof of ['', undefined, 'echo']) {
      const { gateway, node } = makeLine()
      const opening = openHandshake(gateway, key).catch((error: unknown) => error)
      await node.hear()
      node.say({ kind: 'challenge', random: randomBytes(32).toString('base64url') })
      const said = (await node.hear()) as { proof: string }
      node.say({ kind: 'welcome', proof: proof === 'echo' ? said.proof : proof })
      expect(await opening).toMatchObject({ reason: 'key' })
    }
  })
})

describe('the word of a runner', () => {
  it('differs by runner and by session, and is not what was said in the open', () => {
    const words = [runnerWord(key, 'a'), runnerWord(key, 'b'), runnerWord(other, 'a')]
    expect(new Set([...words, 'a', 'b']).size).toBe(5)
    expect(runnerWord(key, 'a')).toBe(words[0])
  })

  it('is what was said where there is no key', () => {
    expect(runnerWord(null, 'a')).toBe('a')
  })
})

it('compares texts as they are', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      expect(isSameText(a, b)).toBe(a === b || Buffer.from(a).equals(Buffer.from(b)))
      expect(isSameText(a, a)).toBe(true)
    }),
  )
  expect(isSameText(undefined, '')).toBe(false)
})

function mapConstants<Value extends object>(value: Value): Record<string, fc.Arbitrary<unknown>> {
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, fc.constant(each)]))
}
