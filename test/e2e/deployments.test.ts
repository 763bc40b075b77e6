import { describe, expect, it } from 'vitest'
import { makeProject, startServer, type TestProject, type TestServer, until } from '../support/server.ts'

/** Says with what it was set up, where it runs, and what it was asked. */
const greeter = `
import { Type } from '@sinclair/typebox'
import { defineFunction } from 'isoplex'

export default defineFunction({
  access: 'public',
  method: 'POST',
  input: Type.Object({ name: Type.String(), waitMs: Type.Optional(Type.Number()) }),
  setup: ({ name, deployment, options }) => {
    if (options.broken) throw new Error('it does not like its options')
    return { name, deployment, greeting: options.greeting ?? 'Hello' }
  },
  handler: async ({ input, state, request }) => {
    if (input.waitMs) await Bun.sleep(input.waitMs)
    return { ...state, text: state.greeting + ', ' + input.name, pid: process.pid, url: request.url }
  },
})
`
const files = { 'functions/greet.ts': greeter }

interface Facts {
  readonly name: string
  readonly status: string
  readonly replicas: { readonly target: number; readonly running: number }
  readonly ongoing: number
  readonly queued: number
  readonly group: string | null
  readonly route: string
  readonly version: string
  readonly settings: Readonly<Record<string, unknown>>
}

async function deploymentsOf(project: TestProject): Promise<ReadonlyMap<string, Facts>> {
  const { stdout, stderr } = await project.run('deployments', '--json')
  expect(stderr).toBe('')
  const { deployments }: { deployments: readonly Facts[] } = JSON.parse(stdout)
  return new Map(deployments.map((facts) => [facts.name, facts]))
}

const ask = (server: TestServer, path: string, json: object = { name: 'Ada' }) => server.call(path, { json })

/** Asks again and again until told to stop; gives what failed, and how many were answered. */
function load(server: TestServer, path: string, json: object, clients: number) {
  let stopped = false
  const failures: unknown[] = []
  const texts = new Set<string>()
  let answered = 0
  const client = async (): Promise<void> => {
    while (!stopped) {
      const { status, json: answer, text } = await ask(server, path, json)
      if (status === 200) texts.add(answer.text)
      else failures.push(text)
      answered += 1
    }
  }
  const clientsDone = Promise.all(Array.from({ length: clients }, client))
  return {
    failures,
    texts,
    get answered() {
      return answered
    },
    async stop() {
      stopped = true
      await clientsDone
    },
  }
}

describe('deployments of one function', () => {
  const settings = {
    replicas: 1,
    deployments: [
      { name: 'polite', function: 'greet', options: { greeting: 'Good day' } },
      { name: 'rude', function: 'greet', replicas: 1, routePrefix: '/v2/rude', options: { greeting: 'Oi' } },
    ],
  }

  it('answer with their own options, at their own routes and below them', async () => {
    await using project = await makeProject(files, settings)
    await using server = await startServer(project, 'serve')
    expect((await ask(server, '/greet')).json).toMatchObject({ deployment: 'greet', text: 'Hello, Ada' })
    const polite = await ask(server, '/polite')
    expect(polite.json).toMatchObject({ name: 'greet', deployment: 'polite', text: 'Good day, Ada' })
    for (const path of ['/v2/rude', '/v2/rude/', '/v2/rude/a/b?c=1'])
      expect((await ask(server, path)).json).toMatchObject({ text: 'Oi, Ada', url: path })
    expect((await ask(server, '/rude')).status).toBe(404)
    expect((await ask(server, '/v2')).status).toBe(404)
    const { routes } = (await server.call('/-/routes')).json
    expect(routes.map(({ name, path }: { name: string; path: string }) => [name, path])).toEqual([
      ['greet', '/greet'],
      ['polite', '/polite'],
      ['rude', '/v2/rude'],
    ])
    const document = (await server.call('/-/openapi.json')).json
    expect(Object.keys(document.paths)).toEqual(['/greet', '/polite', '/v2/rude'])
  })

  it('survive the death of each other’s replicas', async () => {
    await using project = await makeProject(files, settings)
    await using server = await startServer(project, 'serve')
    const [own, shared] = await Promise.all([ask(server, '/v2/rude'), ask(server, '/greet')])
    expect(own.json.pid).not.toBe(shared.json.pid)
    process.kill(own.json.pid, 'SIGKILL')
    expect((await ask(server, '/greet')).json.pid).toBe(shared.json.pid)
    expect((await ask(server, '/v2/rude')).json).toMatchObject({ text: 'Oi, Ada' })
    const again = (await ask(server, '/v2/rude')).json.pid
    process.kill(shared.json.pid, 'SIGKILL')
    expect((await ask(server, '/v2/rude')).json.pid).toBe(again)
    expect((await ask(server, '/greet')).status).toBe(200)
  })

  it('are told of by the command and the administration, and by nobody else', async () => {
    await using project = await makeProject(files, settings)
    await using server = await startServer(project, 'serve')
    const facts = await deploymentsOf(project)
    expect([...facts.keys()]).toEqual(['greet', 'polite', 'rude'])
    expect(facts.get('rude')).toMatchObject({ route: '/v2/rude', group: 'rude' })
    expect((await server.call('/-/deployments')).status).toBe(401)
    const admin = (await project.run('access', 'add', '--right', 'admin')).stdout.trim()
    const headers = { authorization: `Bearer ${admin}` }
    expect((await server.call('/-/deployments/rude', { headers })).json).toMatchObject({ function: 'greet' })
    expect((await server.call('/-/deployments/nobody', { headers })).status).toBe(404)
    const { text } = await server.call('/metrics', { headers })
    expect(text).toContain('isoplex_deployment_replica_target_count{deployment="rude"} 1')
  })
})

describe('a deployment that cannot be', () => {
  it.each([
    ['of no function', { name: 'a', function: 'great' }, /no function "great"; the nearest is "greet"/],
    [
      'at a taken route',
      { name: 'a', function: 'greet', routePrefix: '/greet' },
      /greet\.ts.*deployment "a"|deployment "a".*greet\.ts/,
    ],
    [
      'with a key that is none',
      { name: 'a', function: 'greet', replica: 1 },
      /\/0\/replica is not known; the nearest is \/0\/replicas/,
    ],
    [
      'with bounds that cross',
      { name: 'a', function: 'greet', replicas: { min: 2, max: 1 } },
      /replicas\.min/,
    ],
  ])('%s stops serve', async (_, deployment, message) => {
    await using project = await makeProject(files, { deployments: [deployment] })
    const { code, stderr } = await project.run('serve', '--port', '0')
    expect(code).toBe(1)
    expect(stderr).toMatch(message)
  })

  it('is shown by dev, which serves all else', async () => {
    await using project = await makeProject(files, {
      deployments: [
        { name: 'a', function: 'great' },
        { name: 'b', function: 'greet' },
      ],
    })
    await using server = await startServer(project, 'dev', ['--replicas', '1'])
    const broken = await server.event(({ event }) => event === 'broken')
    expect(broken.reason).toMatch(/no function "great"/)
    expect((await ask(server, '/b')).status).toBe(200)
  })
})

describe('a deployment that scales', () => {
  const scaling = {
    replicas: 1,
    deployments: [
      {
        name: 'elastic',
        function: 'greet',
        maxOngoingRequests: 2,
        replicas: {
          min: 0,
          max: 2,
          targetOngoing: 2,
          lookBackMs: 500,
          upscaleDelayMs: 300,
          downscaleDelayMs: 700,
        },
      },
    ],
  }

  it('comes from nothing, grows with the load and goes back, and no request fails', async () => {
    await using project = await makeProject(files, scaling)
    await using server = await startServer(project, 'serve')
    expect((await deploymentsOf(project)).get('elastic')).toMatchObject({
      status: 'idle',
      replicas: { target: 0, running: 0 },
    })
    expect((await ask(server, '/elastic')).status).toBe(200)
    const busy = load(server, '/elastic', { name: 'Ada', waitMs: 20 }, 12)
    await until(async () => (await deploymentsOf(project)).get('elastic')?.replicas.running === 2)
    const atTwo = busy.answered
    await until(() => busy.answered > atTwo + 50)
    await busy.stop()
    expect(busy.failures).toEqual([])
    const quiet = load(server, '/elastic', { name: 'Ada', waitMs: 5 }, 1)
    await until(async () => (await deploymentsOf(project)).get('elastic')?.replicas.target === 1)
    await until(async () => (await deploymentsOf(project)).get('elastic')?.replicas.running === 1)
    await quiet.stop()
    expect(quiet.failures).toEqual([])
    await until(async () => (await deploymentsOf(project)).get('elastic')?.status === 'idle')
    expect((await ask(server, '/elastic')).status).toBe(200)
  }, 60_000)
})

describe('redeploying', () => {
  it('changes options and replicas under load, and no request fails', async () => {
    const deployments = [{ name: 'polite', function: 'greet', options: { greeting: 'A' } }]
    await using project = await makeProject(files, { replicas: 1, deployments })
    await using server = await startServer(project, 'serve')
    const busy = load(server, '/polite', { name: 'Ada', waitMs: 5 }, 8)
    await until(() => busy.answered > 20)
    const changes: readonly (readonly string[])[] = [
      ['--options', '{"greeting":"B"}'],
      ['--replicas', '2'],
      ['--options', '{"greeting":"C"}', '--replicas', '1'],
      ['--replicas', 'shared'],
    ]
    for (const change of changes) {
      const { code, stderr } = await project.run('redeploy', 'polite', ...change)
      expect([code, stderr]).toEqual([0, ''])
      const before = busy.answered
      await until(() => busy.answered > before + 40)
    }
    await busy.stop()
    expect(busy.failures).toEqual([])
    expect([...busy.texts].toSorted()).toEqual(['A, Ada', 'B, Ada', 'C, Ada'])
    await until(async () => (await project.run('ps', '--json')).stdout.includes('"group":"polite"') === false)
    expect((await deploymentsOf(project)).get('polite')).toMatchObject({
      group: null,
      settings: { options: { greeting: 'C' } },
    })
  }, 60_000)

  it('leaves all as it is where the new runners do not come up or the settings are none', async () => {
    await using project = await makeProject(files, { replicas: 1 })
    await using server = await startServer(project, 'serve')
    await ask(server, '/greet')
    const broken = await project.run('redeploy', 'greet', '--options', '{"broken":true}')
    expect(broken.code).toBe(1)
    expect(broken.stderr).toContain('failed in its setup')
    for (const [flags, message] of [
      [['--replicas', '0'], /replicas/],
      [['--options', '{'], /JSON/],
      [[], /--replicas|--options/],
    ] as const) {
      const { code, stderr } = await project.run('redeploy', 'greet', ...flags)
      expect(code).toBe(1)
      expect(stderr).toMatch(message)
    }
    expect((await project.run('redeploy', 'great', '--replicas', '1')).stderr).toMatch(
      /no deployment "great"/,
    )
    expect((await ask(server, '/greet')).json).toMatchObject({ text: 'Hello, Ada' })
    expect((await deploymentsOf(project)).get('greet')?.settings).toEqual({})
  })
})
