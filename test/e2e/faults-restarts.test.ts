import { expect, it } from 'vitest'
import { startServer, until } from '../support/server.ts'
import { makeCrashProject, startMixedLoad } from './crash-project.ts'

const header = `import { defineFunction } from 'isoplex'`
const up = `export default defineFunction({ access: 'public', handler: () => 'up' })`

/** Kills its process wherever it comes up, but not where it is built. */
const functions = {
  import: `${header}\nif (!Bun.isMainThread) process.kill(process.pid, 'SIGKILL')\n${up}`,
  setup: `${header}\n${up.replace('handler', "setup: () => process.kill(process.pid, 'SIGKILL'), handler")}`,
}

it.each(Object.entries(functions))(
  'a function that kills its replica where it comes up costs few restarts, however often it is asked for: %s',
  async (_, source) => {
    await using project = await makeCrashProject({ 'functions/killing.ts': source })
    await using server = await startServer(project, 'serve', [
      '--replicas',
      '2',
      '--metrics-access',
      'public',
    ])
    const load = startMixedLoad(server, 4)
    await until(() => load.answered > 20)
    const asked = 500
    const statuses = new Set<string>()
    for (let count = 0; count < asked; count += 1) {
      const { status, json } = await server.call('/killing')
      statuses.add(`${status} ${json.code}`)
    }
    const before = load.answered
    await until(() => load.answered > before + 20)
    await load.stop()
    expect(load.failures).toEqual([])
    expect([...statuses]).toEqual(['500 FUNCTION_BROKEN'])
    const restarts = [
      ...(await server.call('/metrics')).text.matchAll(/^isoplex_replica_restart_total.* (\d+)$/gm),
    ]
    const sum = restarts.reduce((total, [, count]) => total + Number(count), 0)
    // Each trial is remembered for twice as long as the one before, a second at first.
    expect(sum).toBeGreaterThan(0)
    expect(sum).toBeLessThan(asked / 20)
  },
  40_000,
)
