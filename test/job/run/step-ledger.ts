import { afterAll, beforeAll } from 'vitest'
import type { StepHost, StepRun } from '../../../runtime/job/run/step-run.ts'
import type { JobStore, Lease } from '../../../runtime/job/store.ts'
import { newJob, roomy, storeKinds, type TestStore } from '../store/test-store.ts'

let opened: TestStore | undefined
let jobs = 0

beforeAll(async () => {
  opened = await storeKinds[0]?.open()
})
afterAll(async () => {
  await opened?.[Symbol.asyncDispose]()
})

/** One job in a store, with its steps' writes in their order. */
export interface StepLedger {
  readonly writes: readonly string[]
  /** Takes the job for a new process; whatever another one writes then is refused. */
  take(lives?: () => boolean): Promise<{ readonly order: StepRun['order']; readonly host: StepHost }>
}

/** Submits a job. */
export async function openLedger(): Promise<StepLedger> {
  if (!opened) throw new Error('There is no store before the tests begin.')
  const { store } = opened
  jobs += 1
  const name = `work-${jobs}`
  await store.submit(newJob({ function: name }), roomy)
  const writes: string[] = []
  let lease: Lease | null = null
  return {
    writes,
    async take(lives = () => true) {
      if (lease !== null) await store.release(lease, { blameless: true })
      const taken = await store.take({ worker: 'test', functions: [name], leaseMs: 600_000 })
      if (taken === null) throw new Error('The job is not there to be taken.')
      lease = taken.lease
      return { order: taken, host: hostOf(store, taken.lease, writes, lives) }
    },
  }
}

/** The host of one process. `lives` is asked before and after each call; a dead one's call never ends. */
function hostOf(store: JobStore, lease: Lease, writes: string[], lives: () => boolean): StepHost {
  const ask = async <Answer>(write: string | null, answer: () => Promise<Answer>): Promise<Answer> => {
    if (!lives()) await never
    const given = await answer()
    if (write !== null) writes.push(write)
    if (!lives()) await never
    return given
  }
  return {
    prepareModel: (id) => ask(null, async () => ({ id, version: '1', path: `/models/${id}` })),
    beginStep: (name) => ask(null, () => store.beginStep(lease, name)),
    recordStep: (record, fields, next) =>
      ask(`record ${record.name}`, () => store.recordStep(lease, record, fields, next)),
    beginRollback: (end) => ask(`roll back: ${end.state}`, () => store.beginRollback(lease, end)),
    recordRollback: (step, error) =>
      ask(`rolled back ${step}${error === null ? '' : `: ${error}`}`, () =>
        store.recordRollback(lease, step, error),
      ),
  }
}

/** What a dead process waits for. */
const never = new Promise<never>(() => {})
