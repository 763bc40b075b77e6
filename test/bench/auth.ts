import { unzipSync } from 'fflate'
import { jwtVerify } from 'jose'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { createProjectIssuer } from '../../runtime/auth/issuer.ts'
import { createProjectKey } from '../../runtime/auth/project-key.ts'
import { createServeMultiplexedModelId } from '../../runtime/auth/synapse-token.ts'
import { createModelToken } from '../../runtime/auth/token.ts'
import { createTokenVerifier } from '../../runtime/auth/verifier.ts'
import { adding, saying } from '../support/function-files.ts'
import { makeProject, startServer } from '../support/server.ts'
import { type Figure, measure } from './figure.ts'
import { sendLoad } from './load.ts'

/** What tokens cost: at each request, when they are new, and when they name a model that is not here yet. */
export async function* measureAuth(): AsyncGenerator<Figure, void, undefined> {
  yield* measureRequests()
  for (const atOnce of [1, 32]) yield await measureFreshTokens(atOnce)
  for (const megabytes of [0, 64]) yield await measureColdModel(megabytes)
}

/**
 * Requests with a token against the same function public: once without a token, and once with another header of the
 * token's length, which costs what any header costs, and of which authentication is no part.
 */
async function* measureRequests(): AsyncGenerator<Figure, void, undefined> {
  await using project = await makeProject({
    'functions/open.ts': saying('hello'),
    'functions/closed.ts': saying('hello').replace("access: 'public', ", ''),
  })
  await using server = await startServer(project, 'serve', ['--replicas', '1'])
  const token = await server.token('digits')
  const sides = [
    { name: 'auth-requests', peer: 'the same function public', headers: {} },
    {
      name: 'auth-requests-same-bytes',
      peer: 'the same function public, with another header as long',
      headers: { 'x-some-header-of-the-length': token },
    },
  ]
  for (const { name, peer, headers } of sides) {
    const generatorCores: number[] = []
    const rate = async (path: string, sent: Readonly<Record<string, string>>): Promise<number> => {
      const outcome = await sendLoad({
        url: `${server.url}${path}`,
        connections: 32,
        seconds: 3,
        headers: sent,
      })
      generatorCores.push(outcome.generatorCores)
      return outcome.requestsPerSecond
    }
    yield await measure({
      name,
      unit: 'requests/s',
      peer,
      goal: '>= 0.95',
      rounds: 5,
      ours: () => rate('/closed', { serve_multiplexed_model_id: token }),
      theirs: () => rate('/open', headers),
      notes: { generator: 'wrk', connections: 32, generatorCores },
    })
  }
}

/** Tokens that nobody has seen before, one after the other or so many at once. */
async function measureFreshTokens(atOnce: number): Promise<Figure> {
  const secret = crypto.getRandomValues(new Uint8Array(32))
  const key = await createProjectKey(secret)
  const count = 10_000
  const makeTokens = (): Promise<string[]> =>
    Promise.all(
      Array.from({ length: count }, (_, index) =>
        createModelToken(key, {
          model: 'digits',
          tenant: crypto.randomUUID(),
          expiresInSeconds: 600 + index,
        }),
      ),
    )
  const rate = async (verify: (token: string) => unknown): Promise<number> => {
    const tokens = await makeTokens()
    const startedMs = performance.now()
    for (let at = 0; at < count; at += atOnce) {
      await Promise.all(tokens.slice(at, at + atOnce).map(verify))
    }
    return (count / (performance.now() - startedMs)) * 1_000
  }
  return await measure({
    name: `auth-fresh-tokens-${atOnce}-at-once`,
    unit: 'tokens/s',
    peer: 'jwtVerify of jose alone',
    goal: '>= 0.8',
    rounds: 7,
    ours: () => {
      const { verify } = createTokenVerifier({ issuers: [createProjectIssuer([key])] })
      return rate(verify)
    },
    theirs: () => rate((token) => jwtVerify(token, key.secret, { algorithms: ['HS256'] })),
  })
}

async function measureColdModel(megabytes: number): Promise<Figure> {
  const command = [process.execPath, new URL('./model-server.ts', import.meta.url).pathname]
  const backend = Bun.spawn([...command, String(megabytes * 1_048_576)], { stdout: 'pipe' })
  try {
    const { value } = await backend.stdout.pipeThrough(new TextDecoderStream()).getReader().read()
    const backendUrl = String(value).trim()
    await using project = await makeProject({ 'functions/add.ts': adding })
    const backendFlags = ['--backend', 'synapse', '--backend-url', backendUrl]
    await using server = await startServer(project, 'serve', ['--replicas', '1', ...backendFlags])
    let nextModel = 0
    const seconds = async (answer: (model: number) => Promise<number>): Promise<number> => {
      nextModel += 1
      // The backend makes a model when it is first asked; that is not what is measured.
      await fetch(`${backendUrl}/models/${nextModel}/`)
      // Nor what the round before has left for the disk to do.
      await Bun.spawn(['sync']).exited
      const startedMs = performance.now()
      const sum = await answer(nextModel)
      if (sum !== nextModel + 1) throw new Error(`Model ${nextModel} answered ${sum}.`)
      return performance.now() - startedMs
    }
    return await measure({
      name: `auth-cold-model-${megabytes}mb`,
      unit: 'ms',
      peer: 'download, unzip and create in one script',
      goal: '<= 1.2',
      rounds: 7,
      ours: () =>
        seconds(async (modelId) => {
          const token = await createServeMultiplexedModelId({ modelId, token: 'any', backendUrl })
          return (await server.call('/add', { json: { x: 1 }, token })).json.y
        }),
      theirs: () => seconds((model) => answerBare(backendUrl, model)),
    })
  } finally {
    backend.kill()
    await backend.exited
  }
}

async function answerBare(backendUrl: string, model: number): Promise<number> {
  const { file } = (await (await fetch(`${backendUrl}/models/${model}/`)).json()) as { readonly file: string }
  const archive = new Uint8Array(await (await fetch(file)).arrayBuffer())
  const bytes = unzipSync(archive)['model.onnx']
  if (!bytes) throw new Error('The archive holds no model.')
  const session = await InferenceSession.create(bytes)
  const { y } = await session.run({ x: new Tensor('float32', [1], [1]) })
  await session.release()
  return Number(y?.data[0])
}
