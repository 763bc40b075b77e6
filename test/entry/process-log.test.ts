import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const moduleUrl = new URL('../../runtime/entry/process-log.ts', import.meta.url).href
const environment = { PATH: process.env.PATH ?? '', TERM: 'xterm' }

/** Logs a line at each level that counts. */
const logging = `import { createProcessLog } from ${JSON.stringify(moduleUrl)}
createProcessLog('debug').info('Said', { a: 1 })
createProcessLog('error').info('Unsaid')
`

/** Logs on the thread that its argument names; with a second argument once more when its input has ended. */
const program = `import { Worker } from 'node:worker_threads'
import { createProcessLog } from ${JSON.stringify(moduleUrl)}
// A process whose threads log has a log of its own: what its threads write goes through it.
createProcessLog('error')
const [, , thread, again] = process.argv
const log = (round: string) => thread === 'main'
  ? import('./logging.ts?' + round)
  : new Promise((resolve) => new Worker(new URL('./logging.ts', import.meta.url)).on('exit', resolve))
await log('first')
if (again) {
  process.stdout.write('first')
  for await (const _ of Bun.stdin.stream()) { }
  await log('second')
  await Bun.sleep(50)
  process.stdout.write('second')
}
`

let directory: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'isoplex-log-'))
  await writeFile(join(directory, 'logging.ts'), logging)
  await writeFile(join(directory, 'program.ts'), program)
})
afterAll(() => rm(directory, { recursive: true }))

describe.each([
  ['the main thread', 'main'],
  ['another thread', 'other'],
])('the log of %s', (_, thread) => {
  const command = (...args: string[]): string[] => [
    process.execPath,
    join(directory, 'program.ts'),
    thread,
    ...args,
  ]

  it('is lines of JSON where nobody watches', async () => {
    const child = Bun.spawn(command(), { env: environment, stderr: 'pipe' })
    const lines = (await new Response(child.stderr).text()).trim().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { time: expect.any(String), level: 'info', message: 'Said', a: 1 },
    ])
  })

  it('is text on a terminal', async () => {
    let screen = ''
    const data = (_: unknown, bytes: Uint8Array): void => {
      screen += new TextDecoder().decode(bytes)
    }
    const env = { ...environment, NO_COLOR: '1' }
    const child = Bun.spawn(command(), { env, terminal: { cols: 80, rows: 20, data } })
    await child.exited
    expect(screen).toMatch(/^\d\d:\d\d:\d\d INFO {2}Said a=1\r\n$/)
  })

  it('does not end the process when whoever read it has gone', async () => {
    const child = Bun.spawn(command('again'), {
      env: environment,
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'pipe',
    })
    const output = child.stdout.getReader()
    const read = async (): Promise<string> => new TextDecoder().decode((await output.read()).value)
    expect(await read()).toBe('first')
    await child.stderr.cancel()
    child.stdin.end()
    expect(await read()).toBe('second')
    expect(await child.exited).toBe(0)
  })
})
