import { afterEach, beforeEach, expect, it } from 'vitest'
import { defineAction } from '../../../runtime/define/action.ts'
import { defineStep } from '../../../runtime/define/step.ts'
import { JobWorkshop } from './job-workshop.ts'

let workshop: JobWorkshop

beforeEach(async () => {
  workshop = await JobWorkshop.make()
})
afterEach(() => workshop[Symbol.asyncDispose]())

it('has had what was told before what lasts: a checkpoint, a step, a rollback', async () => {
  const heard: string[] = []
  for (const method of ['saveCheckpoint', 'recordStep', 'recordRollback'] as const) {
    const original = workshop.host[method] as (...parameters: unknown[]) => Promise<void>
    Object.assign(workshop.host, {
      [method]: (...parameters: unknown[]) => {
        const told = workshop.host.events.filter(({ kind }) => kind !== 'progress')
        heard.push(`${method} after ${told.map(({ data }) => data.event ?? data.category)}`)
        return original(...parameters)
      },
    })
  }
  const step = defineStep({
    name: 'only',
    async execute({ checkpoint, log, setMetrics }) {
      log('begun')
      await checkpoint.save(1)
      setMetrics({ mean: 2 }, 'quality')
      return { success: false, error: 'It is broken.' }
    },
    rollback: ({ log }) => log('undone'),
  })
  await workshop.run(defineAction({ steps: [step] }))
  expect(heard).toEqual([
    'saveCheckpoint after begun',
    'recordStep after begun,quality',
    'recordRollback after begun,quality,undone',
  ])
})
