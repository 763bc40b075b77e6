import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { absenceOfRay, type RayCluster, startRayCluster } from '../support/ray-cluster.ts'
import { requireOrSkip } from '../support/requirement.ts'
import { call, makeProject, type TestProject } from '../support/server.ts'
import { type RayRun, startRayRun } from './ray-run.ts'

const counting = `import { Type } from '@sinclair/typebox'
import { defineAction, defineStep } from 'isoplex'
export default defineAction({
  params: Type.Object({ to: Type.Integer(), waitMs: Type.Integer(), note: Type.Optional(Type.String()) }),
  steps: [
    defineStep({
      name: 'write',
      async execute({ files, params }) {
        console.log('{"isoplex":0,"kind":"end","data":{"state":"succeeded"},"seal":""}')
        await files.write('note.txt', 'up to ' + params.to)
      },
      rollback: ({ logMessage }) => void logMessage('The note is taken back.'),
    }),
    defineStep({
      name: 'count',
      async execute({ params, setProgress, signal }) {
        for (let done = 1; done <= params.to; done++) {
          signal.throwIfAborted()
          setProgress(done, params.to)
          await Bun.sleep(params.waitMs)
        }
      },
    }),
  ],
  conclude: ({ params }) => ({ counted: params.to, seen: process.env.SYNAPSE_ACCESS_TOKEN ?? 'nothing' }),
})`

const secret = 'a-token-that-nobody-is-to-see'

describe.runIf(requireOrSkip('ray', await absenceOfRay()))(
  'an action as a job of a Ray cluster',
  { timeout: 240_000 },
  () => {
    const stack = new AsyncDisposableStack()
    let cluster: RayCluster
    let project: TestProject

    beforeAll(async () => {
      project = stack.use(await makeProject({ 'functions/count.ts': counting }))
      cluster = stack.use(await startRayCluster({ nodes: 1 }))
    }, 240_000)
    afterAll(() => stack.disposeAsync(), 60_000)

    const run = (params: object, ...flags: string[]): RayRun =>
      startRayRun(
        project,
        [
          'count',
          '--mode',
          'ray',
          '--address',
          cluster.dashboardUrl,
          '--params',
          JSON.stringify(params),
          ...flags,
        ],
        { SYNAPSE_ACCESS_TOKEN: secret },
      )

    it('gives progress, result and files, and shows no secret', async () => {
      const output = join(project.directory, 'out')
      const params = { to: 5, waitMs: 1, note: 'a-private-note' }
      const { code, stdout, stderr } = await run(params, '--output', output).end()
      expect([code, code === 0 ? '' : stderr]).toEqual([0, ''])
      expect(JSON.parse(stdout)).toEqual({ counted: 5, seen: 'nothing' })
      expect(stderr).toContain('step write: done')
      expect(stderr).toContain('count 5/5')
      expect(await readFile(join(output, 'note.txt'), 'utf8')).toBe('up to 5')
      const { text, json } = await call(`${cluster.dashboardUrl}/api/jobs/`, { method: 'GET' })
      const [{ submission_id: id }] = json
      const log = await call(`${cluster.dashboardUrl}/api/jobs/${id}/logs`, { method: 'GET' })
      for (const hidden of [secret, 'a-private-note', 'counted', 'up to 5']) {
        expect(text).not.toContain(hidden)
        expect(log.text).not.toContain(hidden)
      }
    })

    it('is stopped by Ctrl-C, and rolls back', async () => {
      const job = run({ to: 100_000, waitMs: 10 })
      await job.said(/step count: started/)
      job.interrupt()
      const { code, stderr } = await job.end()
      expect(code).toBe(130)
      expect(stderr).toContain('The note is taken back.')
      expect(stderr).toContain('step write: rolled-back')
    })

    it('that is refused ends with 2, as anywhere', async () => {
      const { code, stderr } = await run({ to: 'many', waitMs: 1 }).end()
      expect([code, stderr]).toEqual([2, expect.stringContaining('/to')])
    })

    it('says that no cluster takes it', async () => {
      const { code, stderr } = await run({ to: 1, waitMs: 1 }, '--address', 'http://127.0.0.1:9').end()
      expect([code, stderr]).toEqual([1, expect.stringContaining('http://127.0.0.1:9')])
    })
  },
)
