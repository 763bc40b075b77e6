import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startRecordingBackend } from '../job/synapse-backend.ts'
import { commandLine, type Outcome, runCommand, startCommand, startOnTerminal } from '../support/command.ts'
import { descendantsOf, makeProject, type TestProject, until } from '../support/server.ts'
import { counting, dying, listing, stepping, weighing } from './job-functions.ts'

let project: TestProject
const run = (...args: string[]): Promise<Outcome> => runCommand(project, 'run', ...args)
const json = (value: unknown): string => JSON.stringify(value)
const trace = (name: string): string => join(project.directory, name)

beforeAll(async () => {
  project = await makeProject({
    'functions/count.ts': counting,
    'functions/steps.ts': stepping,
    'functions/list.ts': listing,
    'functions/weigh.ts': weighing,
    'functions/die.ts': dying,
    'sound.wav': 'RIFF',
  })
})
afterAll(() => project[Symbol.asyncDispose]())

describe('isoplex run of an action', () => {
  it('shows lines where there is no terminal, and writes the result alone', async () => {
    const { code, stdout, stderr } = await run('count', '--params', '{"n":4}')
    expect({ code, stdout }).toEqual({ code: 0, stdout: '{"sum":10}\n' })
    const lines = stderr.split('\n')
    expect(lines[0]).toMatch(/^Job job_\w{26}$/)
    for (const line of [
      'running',
      'begun {"n":4}',
      'success: all counted',
      'metrics of inference: counted=4',
      'file counts.csv (4 B)',
      'succeeded',
      'It left counts.csv; --output DIR takes them.',
    ]) {
      expect(lines).toContain(line)
    }
    expect(stderr).not.toContain('\u001b')
  })

  it('tells programs every event, the job first', async () => {
    const { stdout, stderr } = await run('count', '--params', '{"n":4}', '--json')
    expect(JSON.parse(stdout)).toEqual({ sum: 10 })
    const [job, ...events] = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(job).toEqual({ kind: 'job', data: { id: expect.stringMatching(/^job_/) } })
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
    expect(events.at(-1)).toMatchObject({ kind: 'state', data: { state: 'succeeded' } })
  })

  it('draws bars on a terminal', async () => {
    await using running = startOnTerminal(project, 'run', 'count', '--params', '{"n":20,"ms":20}')
    await running.said(/("sum": 210)/)
    expect(await running.ended).toBe(0)
    expect(running.stdout()).toMatch(/all +█+ 100 %/)
    expect(running.stdout()).toMatch(/inference +█+ 100 % +20\/20/)
    expect(running.stdout()).toContain('success: all counted')
  })

  it('puts the files of the job into a folder', async () => {
    const { code } = await run('count', '--params', '{"n":2}', '--output', 'out/deep')
    expect(code).toBe(0)
    expect(await readFile(trace('out/deep/counts.csv'), 'utf8')).toBe('n\n2\n')
  })

  it('writes many results line by line', async () => {
    const { stdout } = await run('list', '--params', '{"n":1000}')
    expect(stdout.trim().split('\n')).toEqual(Array.from({ length: 1_000 }, (_, n) => `{"n":${n}}`))
  })

  it.each([[['--input', '@sound.wav']], [['--input', 'sound=@sound.wav', '--params', '{"note":"a"}']]])(
    'takes files: %j',
    async (args) => {
      const { code, stdout } = await run('weigh', ...args)
      expect(code).toBe(0)
      expect(JSON.parse(stdout)).toMatchObject({ bytes: 4 })
    },
  )

  it('ends with 1 where the result cannot be written', async () => {
    const [shell, ...words] = ['sh', '-c', '"$@" > /dev/full', 'sh', ...commandLine('run', 'count')]
    const child = Bun.spawn([shell ?? '', ...words, '--params', '{"n":2}'], {
      cwd: project.directory,
      stderr: 'pipe',
    })
    expect(await new Response(child.stderr).text()).toContain('ENOSPC')
    expect(await child.exited).toBe(1)
  })

  it('ends with 1 where a step fails, says why, and has rolled back', async () => {
    const params = json({ trace: trace('failed'), fails: true })
    const { code, stdout, stderr } = await run('steps', '--params', params)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^isoplex: .*it broke/m)
    expect(stderr).toMatch(/^taken back$/m)
    expect(existsSync(trace('failed'))).toBe(false)
  })

  it('ends with 1 where its process dies each time', async () => {
    const { code, stderr } = await run('die', '--json')
    expect(code).toBe(1)
    expect(JSON.parse(stderr.trim().split('\n').at(-1) ?? '').error.code).toBe('JOB_CRASHED')
  })

  it.each([
    [['count'], 'does not fit'],
    [['count', '--params', '{"n":0}'], 'does not fit'],
    [['count', '--params', '{"n":1}', '--model', 'digits'], 'among the parameters'],
  ])('refuses %j with 2, and makes no job', async (args, advice) => {
    const { code, stdout, stderr } = await run(...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(advice)
    expect(stderr).not.toContain('Job job_')
  })
})

describe('Ctrl-C', () => {
  it('cancels, waits for the rollback, and ends with 130', async () => {
    const params = json({ trace: trace('cancelled'), waits: true })
    await using running = startCommand(project, 'run', 'steps', '--params', params)
    await until(() => running.stderr().includes('working'))
    expect(existsSync(trace('cancelled'))).toBe(true)
    running.kill('SIGINT')
    expect(await running.ended).toBe(130)
    expect(running.stdout()).toBe('')
    expect(running.stderr()).toMatch(/^Cancelling: /m)
    expect(running.stderr()).toMatch(/^taken back$/m)
    expect(existsSync(trace('cancelled'))).toBe(false)
  })

  it('on a terminal does the same, with every process of the job hearing of it', async () => {
    const params = json({ trace: trace('typed'), waits: true })
    await using running = startOnTerminal(project, 'run', 'steps', '--params', params)
    await running.said(/(working)/)
    // A terminal tells every process of its foreground.
    process.kill(-running.pid, 'SIGINT')
    expect(await running.ended).toBe(130)
    expect(running.stdout()).toContain('taken back')
    expect(existsSync(trace('typed'))).toBe(false)
  })

  it('twice ends at once, and leaves no process', async () => {
    const params = json({ trace: trace('twice'), waits: true })
    await using running = startCommand(project, 'run', 'steps', '--params', params)
    await until(() => running.stderr().includes('working'))
    const children = await descendantsOf(running.pid)
    expect(children.length).toBeGreaterThan(0)
    running.kill('SIGINT')
    running.kill('SIGTERM')
    expect(await running.ended).toBe(130)
    await until(() => !children.some(isAlive))
  })

  it('before there is a job ends the command at once', async () => {
    const child = Bun.spawn(commandLine('run', 'count', '--params', '-'), {
      cwd: project.directory,
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'pipe',
    })
    await until(() => isListening(child.pid))
    child.kill('SIGINT')
    expect(await child.exited).toBe(130)
    expect(await new Response(child.stderr).text()).toBe('')
  })
})

describe('a job of a Synapse backend', () => {
  const environmentOf = (url: string): Record<string, string> => ({
    SYNAPSE_JOB_ID: '77',
    SYNAPSE_HOST: url,
    SYNAPSE_ACCESS_TOKEN: 'very-secret',
  })
  const runFor = (url: string, ...args: string[]): Promise<Outcome> =>
    runCommand({ directory: project.directory, environment: environmentOf(url) }, 'run', ...args)

  it('is reported to it, to the end', async () => {
    using backend = startRecordingBackend()
    const { code, stdout, stderr } = await runFor(backend.url, 'count', '--params', '{"n":4}')
    expect({ code, stdout }).toEqual({ code: 0, stdout: '{"sum":10}\n' })
    expect(backend.job).toMatchObject({
      status: 'succeeded',
      result: { sum: 10 },
      metrics_record: { record: { steps: { inference: { counted: 4 } } } },
      progress_record: {
        record: { steps: { inference: { percent: 100, proportion: 75 } } },
        current_progress: { overall: 100, step: 'postprocess', percent: 100 },
      },
    })
    expect(backend.logs).toMatchObject([
      { event: 'begun', data: { n: 4 }, job: '77' },
      { event: 'message', data: { context: 'success', content: 'all counted' }, job: '77' },
    ])
    expect(stderr).not.toContain('very-secret')
  })

  it('has what its steps give in the words of the SDK', async () => {
    using backend = startRecordingBackend()
    await runFor(backend.url, 'steps', '--params', json({ trace: trace('reported') }))
    expect(backend.job.result).toMatchObject({ success: true, steps_executed: 2, steps_total: 2 })
  })

  it('has the facts of a result of many lines', async () => {
    using backend = startRecordingBackend()
    await runFor(backend.url, 'list', '--params', '{"n":3}')
    expect(backend.job.result).toMatchObject({ form: 'lines', count: 3 })
  })

  it('is told of a failure, and runs on where the backend does not answer', async () => {
    using backend = startRecordingBackend()
    const params = json({ trace: trace('told'), fails: true })
    expect((await runFor(backend.url, 'steps', '--params', params)).code).toBe(1)
    expect(backend.job).toMatchObject({ status: 'failed', result: { success: false } })
    const refusing = await runFor(`${backend.url}/nowhere`, 'count', '--params', '{"n":1}')
    expect(refusing.code).toBe(0)
  })

  it('is none without a token, which is said', async () => {
    const environment = { SYNAPSE_JOB_ID: '77', SYNAPSE_HOST: '', SYNAPSE_ACCESS_TOKEN: '' }
    const { code, stderr } = await runCommand(
      { directory: project.directory, environment },
      'run',
      'count',
      '--params',
      '{"n":1}',
    )
    expect(code).toBe(0)
    expect(stderr).toMatch(/SYNAPSE_JOB_ID is set, but nothing is reported/)
  })
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Whether a process catches SIGINT, the second signal, by now. */
async function isListening(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return (Number.parseInt(/^SigCgt:\s*\w*(\w)$/m.exec(status)?.[1] ?? '0', 16) & 2) !== 0
}
