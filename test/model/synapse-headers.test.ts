import { describe, expect, it } from 'vitest'
import { createSynapseBackend } from '../../runtime/model/synapse-backend.ts'
import { isHeaderText } from '../../runtime/model/synapse-headers.ts'

const model = { id: 34, file: 'https://files.example/34.zip' }
const caller = { modelId: '34', tenant: null, accessToken: 'caller-token', proven: false }

describe('the styles of headers', () => {
  /** A backend of 2025 or of 2026, that can be replaced by the other. */
  const startDatedBackend = (header: string) => {
    const state = { header, asked: [] as string[] }
    const server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: ({ headers }) => {
        const known = ['authorization', 'synapse-access-token'].filter((name) => headers.has(name)).join()
        state.asked.push(known)
        return headers.get(state.header) === 'Token caller-token'
          ? Response.json(model)
          : Response.json({ detail: 'Invalid token.' }, { status: 401 })
      },
    })
    return { state, url: `http://127.0.0.1:${server.port}`, [Symbol.asyncDispose]: () => server.stop(true) }
  }

  it('are found out once', async () => {
    await using old = startDatedBackend('synapse-access-token')
    const backend = createSynapseBackend({ url: old.url })
    await backend.find(caller)
    await backend.find(caller)
    expect(old.state.asked).toEqual(['authorization', 'synapse-access-token', 'synapse-access-token'])
  })

  it('are not given up for bad tokens, and found out anew where the backend was replaced', async () => {
    await using dated = startDatedBackend('authorization')
    let nowMs = 0
    const backend = createSynapseBackend({ url: dated.url, now: () => nowMs })
    await backend.find(caller)
    const bad = { ...caller, accessToken: 'bad' }
    for (let i = 0; i < 10; i += 1)
      await expect(backend.find(bad)).rejects.toMatchObject({ code: 'TOKEN_INVALID' })
    expect(dated.state.asked).toHaveLength(1 + 11)
    await backend.find(caller)
    expect(dated.state.asked.at(-1)).toBe('authorization')
    dated.state.header = 'synapse-access-token'
    nowMs = 60_000
    await backend.find(caller)
    dated.state.asked.length = 0
    await backend.find(caller)
    expect(dated.state.asked).toEqual(['synapse-access-token'])
  })

  it('are one where the operator says which', async () => {
    await using old = startDatedBackend('synapse-access-token')
    await createSynapseBackend({ url: old.url, headers: 'access-token' }).find(caller)
    const other = createSynapseBackend({ url: old.url, headers: 'authorization' })
    await expect(other.find(caller)).rejects.toMatchObject({ code: 'TOKEN_INVALID' })
    expect(old.state.asked).toEqual(['synapse-access-token', 'authorization'])
  })
})

it.each([
  ['abc.DEF_1-2', true],
  ['two words', true],
  ['', false],
  [' lead', false],
  ['two\nlines', false],
  ['테넌트', false],
])('takes %j for the text of a header: %s', (text, fits) => {
  expect(isHeaderText(text)).toBe(fits)
})
