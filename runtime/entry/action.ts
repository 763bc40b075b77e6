/**
 * The process of one job. It is told which over IPC, runs the action or goes on with it, asks its parent for whatever is
 * to last, and ends with the job or with its parent.
 */
import { createOnnxNodeEngine } from '../../adapters/onnx-node/engine.ts'
import type { Session } from '../engine/engine.ts'
import { fromWire } from '../error/wire.ts'
import type { ActionCommand, ActionOrder, ActionReport } from '../job/message.ts'
import { createHostLink } from '../job/run/host-link.ts'
import { runJob } from '../job/run/job-run.ts'
import { createOutboundPolicy } from '../network/policy.ts'
import { createInputFetch } from '../replica/fetched-input.ts'
import { createActionExtension } from './action-extension.ts'
import { importFunction } from './bundled-function.ts'
import { configureEngine } from './configured-engine.ts'
import { volunteerForMemoryShortage } from './memory-shortage.ts'
import { exitWithParent } from './parent.ts'
import { leadProcessGroup } from './process-group.ts'
import { createProcessLog } from './process-log.ts'
import { openRayServeTarget } from './ray-serve.ts'

/** How long what the action has loaded may take to be freed, once the job has ended. */
const disposalMs = 5_000

if (!process.send) throw new Error('The process of an action is started by isoplex only.')
exitWithParent(Number(process.argv[2]))
leadProcessGroup()
volunteerForMemoryShortage()
// The action is imported into this process: what it may do to it must not reach the parent as a report.
const send = process.send.bind(process)
const exit = process.exit.bind(process)
delete process.send

const ending = new AbortController()
const mishap = Promise.withResolvers<never>()
process.on('uncaughtException', (error) => mishap.reject(error))
process.on('unhandledRejection', (reason) => mishap.reject(reason))
// Stopping is the parent's to say: a signal to the whole group must not cut a job.
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => undefined)

const link = createHostLink(report)
process.on('message', (command: ActionCommand) => {
  if (command.kind === 'run') void run(command.order)
  else if (command.kind === 'cancel') ending.abort(fromWire(command.reason))
  else link.receive(command)
})
report({ kind: 'ready' })

async function run(order: ActionOrder): Promise<void> {
  const log = createProcessLog(order.logLevel)
  // It fails what runs, but in a rollback nothing fails by it.
  mishap.promise.catch((error: unknown) =>
    log.error('An action threw where nobody listens', {
      function: order.function,
      jobId: order.jobId,
      error,
    }),
  )
  const sessions: Pick<Session, 'dispose'>[] = []
  const engine = configureEngine(
    createOnnxNodeEngine({
      onFallback: ({ reason }) => log.warn(reason, { function: order.function, jobId: order.jobId }),
    }),
    order.session,
    (session) => sessions.push(session),
  )
  try {
    await runJob({
      order,
      load: async () => (await importFunction(order.bundlePath, order.function)).definition,
      host: link.host,
      engine,
      extend: createActionExtension((address) => openRayServeTarget({ address })),
      fetchInput: createInputFetch(createOutboundPolicy(order.inputHosts)),
      log,
      signal: ending.signal,
      mishap: mishap.promise,
    })
  } catch (error) {
    log.warn('The end of a job could not be told', { function: order.function, jobId: order.jobId, error })
    exit(1)
  }
  setTimeout(() => exit(0), disposalMs)
  await Promise.allSettled(sessions.map((session) => session.dispose()))
  exit(0)
}

function report(message: ActionReport): void {
  send(message)
}
