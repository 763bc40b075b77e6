import { createProjectKey } from '../../runtime/auth/project-key.ts'
import { createModelToken } from '../../runtime/auth/token.ts'
import type { BenchmarkOptions } from './benchmarks.ts'
import { type Figure, takeTurns } from './figure.ts'
import { startFunctionServer } from './function-server.ts'
import { sendLoad } from './load.ts'
import { loadFigures } from './load-figures.ts'
import { type Peer, startPeer } from './peer.ts'

const body = JSON.stringify({ message: 'hello' })
const headers = { 'content-type': 'application/json' }
const chart = 'no-op'

/** What a function that does nothing costs, beside routes of Elysia that do nothing. */
export async function* measureOverhead({ quick }: BenchmarkOptions): AsyncGenerator<Figure, void, undefined> {
  const { rounds, seconds } = quick ? { rounds: 1, seconds: 1 } : { rounds: 5, seconds: 3 }
  const secret = crypto.getRandomValues(new Uint8Array(32))
  const key = await createProjectKey(secret)
  const peerToken = await createModelToken(key, { model: 'any', tenant: null, expiresInSeconds: 3_600 })
  await using server = await startFunctionServer({ functions: ['noop', 'noop-token'] })
  await using bare = await startPeer('noop.ts')
  await using furnished = await startPeer('noop-furnished.ts', [secret.toBase64()])
  const token = await server.token('any')
  for (const connections of [1, 32, 128]) {
    const load = (to: Pick<Peer, 'url' | 'pid'>, path: string, given?: string) => {
      const sent = given === undefined ? headers : { ...headers, serve_multiplexed_model_id: given }
      const url = to.url + path
      return () => sendLoad({ url, connections, seconds, headers: sent, body, serverPid: to.pid })
    }
    const outcomes = await takeTurns({
      name: `overhead at ${connections}`,
      rounds,
      sides: {
        ours: load(server, '/noop'),
        bare: load(bare, '/noop'),
        oursWithToken: load(server, '/noop-token', token),
        furnished: load(furnished, '/noop', peerToken),
      },
    })
    yield* loadFigures({
      name: `overhead-${connections}`,
      peer: 'bare Elysia route',
      chart,
      connections,
      ours: outcomes.ours,
      theirs: outcomes.bare,
      goal: connections === 1 ? '>= 0.5' : '>= 0.8',
    })
    yield* loadFigures({
      name: `overhead-furnished-${connections}`,
      peer: 'Elysia route with request id, token and metrics',
      chart: 'no-op with a token',
      connections,
      ours: outcomes.oursWithToken,
      theirs: outcomes.furnished,
    })
  }
}
