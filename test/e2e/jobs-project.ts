import { readdirSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeProject, type Reply, type TestProject, type TestServer, until } from '../support/server.ts'

/**
 * A job of four steps over a list of numbers, two of which remember how far they have come. What is executed is noted
 * in a file beside the project, whatever becomes of the process.
 */
const survey = `
import { Type } from '@sinclair/typebox'
import { appendFileSync } from 'node:fs'
import { defineAction, defineStep } from 'isoplex'

const noted = (name, execute) => defineStep({
  name,
  async execute(context) {
    appendFileSync('executed', [context.jobId, name, context.step.attempt].join(' ') + '\\n')
    return await execute(context)
  },
})
const read = async ({ files }) => JSON.parse(new TextDecoder().decode(await files.read('numbers.json')))
const sumUp = (of) => async (context) => {
  const numbers = await read(context)
  const { checkpoint, params, setProgress } = context
  let { done, sum } = checkpoint.value ?? { done: 0, sum: 0 }
  while (done < numbers.length) {
    sum += of(numbers[done])
    done += 1
    await Bun.sleep(params.pauseMs)
    await checkpoint.save({ done, sum })
    setProgress(done, numbers.length)
  }
  context.processedCount += done
  return { data: { sum } }
}
const dataOf = (results, step) => results.find(({ name }) => name === step).result.data

export default defineAction({
  access: 'public',
  params: Type.Object({ count: Type.Integer(), pauseMs: Type.Number() }),
  result: Type.Object({ sum: Type.Integer(), squares: Type.Integer(), processed: Type.Integer() }),
  steps: [
    noted('gather', async ({ params, files }) => {
      await Bun.sleep(10 * params.pauseMs)
      await files.write('numbers.json', JSON.stringify(Array.from({ length: params.count }, (_, index) => index + 1)))
    }),
    noted('sum', sumUp((number) => number)),
    noted('squares', sumUp((number) => number * number)),
    noted('write', async ({ params, files, stepResults }) => {
      await Bun.sleep(10 * params.pauseMs)
      await files.write('report.csv', 'sum,' + dataOf(stepResults, 'sum').sum + '\\n', { mediaType: 'text/csv' })
    }),
  ],
  conclude: ({ stepResults, processedCount }) => ({
    sum: dataOf(stepResults, 'sum').sum,
    squares: dataOf(stepResults, 'squares').sum,
    processed: processedCount,
  }),
})
`

/**
 * A job of two steps, of which the second does what it is told: `spin` and `ignore` never end, `die` ends the process,
 * `hold` waits for a file. Both note their execution and their rollback.
 */
export function stubborn(options: string): string {
  return `
import { appendFileSync, existsSync } from 'node:fs'
import { Type } from '@sinclair/typebox'
import { defineAction, defineStep, modelId } from 'isoplex'

const note = (...words) => appendFileSync('noted', words.join(' ') + '\\n')
const acts = {
  spin: () => { for (;;); },
  ignore: () => new Promise((resolve) => setTimeout(resolve, 1e8)),
  die: () => process.kill(process.pid, 'SIGKILL'),
  hold: async () => { while (!existsSync('go')) await Bun.sleep(5) },
}
const noted = (name, execute) => defineStep({
  name,
  async execute(context) {
    note('execute', name, context.step.attempt)
    await execute(context)
  },
  rollback: () => note('rollback', name),
})
export default defineAction({
  access: 'public',
  params: Type.Object({ act: Type.String(), model: Type.Optional(modelId()) }),
  steps: [
    noted('prepare', async ({ params, getModel }) => { if (params.model) await getModel(params.model) }),
    noted('act', ({ params }) => acts[params.act]()),
  ],
  conclude: () => 'done',
  ${options}
})
`
}

/** The names of the steps of the action `survey`, in their order. */
export const surveySteps: readonly string[] = ['gather', 'sum', 'squares', 'write']

/** Makes a project with the action `survey`, and others. */
export function makeJobsProject(
  files: Readonly<Record<string, string>> = {},
  settings: Readonly<Record<string, unknown>> = {},
): Promise<TestProject> {
  return makeProject(
    { 'functions/survey.ts': survey, ...files },
    { replicas: 1, shutdownGraceMs: 0, ...settings },
  )
}

/** What the jobs of the action `stubborn` have noted. */
export async function notedIn({ directory }: TestProject): Promise<readonly string[]> {
  const text = await readFile(join(directory, 'noted'), 'utf8').catch(() => '')
  return text.split('\n').filter((line) => line !== '')
}

/** A job as the server shows it. */
export type ShownJob = Reply['json']

/** Submits a job and gives its id. */
export async function submit(
  server: TestServer,
  path: string,
  json: unknown,
  options: { readonly token?: string } = {},
): Promise<string> {
  const reply = await server.call(path, { json, ...options })
  if (reply.status !== 202) throw new Error(`${reply.status} ${reply.text}`)
  return reply.json.id
}

/** A job as it is now, as whoever has a token sees it. */
export async function look(server: TestServer, id: string, token?: string): Promise<ShownJob> {
  const reply = await server.call(`/-/jobs/${id}`, token === undefined ? {} : { token })
  if (reply.status !== 200) throw new Error(`${reply.status} ${reply.text}`)
  return reply.json
}

/** Waits until a job has ended. */
export async function ended(server: TestServer, id: string, token?: string): Promise<ShownJob> {
  let job: ShownJob
  await until(async () => {
    job = await look(server, id, token)
    return job.endedMs !== null
  })
  return job
}

/** All events of a job that has ended. */
export async function eventsOf(
  server: TestServer,
  id: string,
  token?: string,
): Promise<readonly Reply['json'][]> {
  const { text } = await server.call(`/-/jobs/${id}/events`, {
    headers: { accept: 'application/x-ndjson' },
    ...(token === undefined ? {} : { token }),
  })
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
    .filter(({ kind }) => kind !== 'end')
}

/** The process ids of the jobs that a gateway runs. */
export function jobProcessesOf({ pid }: Pick<TestServer, 'pid'>): readonly number[] {
  try {
    const children = readdirSync(`/proc/${pid}/task`).flatMap((task) => {
      return readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' ')
    })
    return children
      .filter((child) => child !== '' && commandOf(child).includes('entry/action.ts'))
      .map(Number)
  } catch {
    // The gateway has ended in between.
    return []
  }
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}
