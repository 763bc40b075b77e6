import type { ActionHost } from '../message.ts'
import type { Reporter } from './reporter.ts'

/**
 * A host that has what was told before what is recorded: a death right after a record costs none of it, and the log
 * has one order. The reporter hears from it what moves the progress of steps.
 */
export function keepOrder(host: ActionHost, reporter: Reporter): ActionHost {
  return {
    ...host,
    async beginStep(name) {
      const running = await host.beginStep(name)
      reporter.progressed()
      return running
    },
    async recordStep(...parameters) {
      await reporter.flushTold()
      await host.recordStep(...parameters)
      reporter.progressed()
    },
    async saveCheckpoint(value) {
      await reporter.flushTold()
      await host.saveCheckpoint(value)
    },
    async recordRollback(step, error) {
      await reporter.flushTold()
      await host.recordRollback(step, error)
    },
  }
}
