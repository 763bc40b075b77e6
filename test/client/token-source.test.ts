import { describe, expect, it } from 'vitest'
import { createTokenSource } from '../../runtime/client/token-source.ts'
import { IsoplexError } from '../../runtime/error/error.ts'
import { fromWire } from '../../runtime/error/wire.ts'
import { errorOf } from './failed.ts'

const refusal = (reason: 'expired' | 'signature') =>
  new IsoplexError('TOKEN_INVALID', 'No.', { details: { reason } })

/** A call that only some tokens may make. */
const taking =
  (good: string, reason: 'expired' | 'signature' = 'expired') =>
  async (token: string | null) => {
    if (token !== good) throw refusal(reason)
    return token
  }

/** A further token: `t1`, then `t2`. */
function nextOf(tokens: string[]): string {
  tokens.push(`t${tokens.length + 1}`)
  return `t${tokens.length}`
}

describe('a token', () => {
  it('is used as it is', async () => {
    expect(await createTokenSource('a').use(async (token) => token)).toBe('a')
    expect(await createTokenSource(null).use(async (token) => token)).toBeNull()
    expect((await errorOf(createTokenSource('a').use(taking('b')))).code).toBe('TOKEN_INVALID')
  })

  it('is asked for once, however many calls need it', async () => {
    const asked: string[] = []
    const source = createTokenSource(async () => nextOf(asked))
    const calls = Array.from({ length: 20 }, () => source.use(taking('t1')))
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['t1']))
    expect(asked).toHaveLength(1)
  })

  it('is asked for again once it has expired, and once only for all', async () => {
    const asked: string[] = []
    const source = createTokenSource(() => nextOf(asked))
    await source.use(taking('t1'))
    await Promise.all(Array.from({ length: 20 }, () => source.use(taking('t2'))))
    expect(asked).toHaveLength(2)
  })

  it('is not asked for a third time by one call', async () => {
    const asked: string[] = []
    const source = createTokenSource(() => nextOf(asked))
    expect((await errorOf(source.use(taking('none')))).code).toBe('TOKEN_INVALID')
    expect(asked).toHaveLength(2)
  })

  it('is not asked for again where it is bad for another reason', async () => {
    const asked: string[] = []
    const source = createTokenSource(() => nextOf(asked))
    await errorOf(source.use(taking('none', 'signature')))
    expect(asked).toHaveLength(1)
  })

  it('is not asked for again where a server does not say why it is bad', async () => {
    const asked: string[] = []
    const source = createTokenSource(() => nextOf(asked))
    const bare = fromWire({ code: 'TOKEN_INVALID', message: 'No.' })
    await expect(source.use(() => Promise.reject(bare))).rejects.toBe(bare)
    expect(asked).toHaveLength(1)
  })

  it('that no header can carry is refused, whoever gave it', async () => {
    for (const option of ['a b', () => 'a b']) {
      const refused = createTokenSource(option).use(async (token) => token)
      await expect(refused).rejects.toThrow(/^"token" must be made of visible ASCII characters/)
    }
  })

  it('is asked for by the next call where it could not be had', async () => {
    const answers = [Promise.reject(new Error('offline')), Promise.resolve('b')]
    const source = createTokenSource(() => answers.shift() ?? null)
    await expect(source.use(taking('b'))).rejects.toThrow('offline')
    expect(await source.use(taking('b'))).toBe('b')
  })

  it('may come of what throws', async () => {
    const source = createTokenSource(() => {
      throw new Error('no token')
    })
    await expect(source.use(taking('b'))).rejects.toThrow('no token')
  })
})
