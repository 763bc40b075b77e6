import type { BrowserContext, Page } from 'playwright-core'
import type { WorkerMethods } from './artifact-worker.ts'

/** The bundle of the worker, as pages get it. */
export async function buildArtifactWorker(): Promise<string> {
  const { outputs, success, logs } = await Bun.build({
    entrypoints: [new URL('./artifact-worker.ts', import.meta.url).pathname],
    target: 'browser',
    format: 'esm',
  })
  const [script] = outputs
  if (!success || script === undefined) throw new Error(logs.join('\n'))
  return script.text()
}

/** A tab with a worker. */
export interface ArtifactTab extends AsyncDisposable {
  readonly page: Page
  /** Has the worker do something; what it fails with is thrown, with the members that it has there. */
  call<Method extends keyof WorkerMethods>(
    method: Method,
    ...parameters: Parameters<WorkerMethods[Method]>
  ): Promise<Awaited<ReturnType<WorkerMethods[Method]>>>
  /** Ends the worker at once, and starts another. */
  restart(): Promise<void>
}

/** Opens a page of a site, and starts its worker. */
export async function openArtifactTab(context: BrowserContext, url: string): Promise<ArtifactTab> {
  const page = await context.newPage()
  await page.goto(url)
  const restart = (): Promise<void> => page.evaluate(startWorker)
  await restart()
  return {
    page,
    restart,
    async call(method, ...[parameter]) {
      const { value, error } = await page.evaluate(callWorker, { method, parameter })
      if (error === undefined) return value
      throw Object.assign(new Error(), error)
    },
    [Symbol.asyncDispose]: () => page.close(),
  }
}

/** Runs in the page. */
function startWorker(): void {
  const former: unknown = Reflect.get(globalThis, 'worker')
  if (former instanceof Worker) former.terminate()
  Reflect.set(globalThis, 'worker', new Worker('/worker.js', { type: 'module' }))
}

interface WorkerAnswer {
  readonly value: never
  readonly error: Readonly<Record<string, unknown>> | undefined
}

/** Runs in the page. */
function callWorker(question: {
  readonly method: string
  readonly parameter: unknown
}): Promise<WorkerAnswer> {
  const worker: Worker = Reflect.get(globalThis, 'worker')
  const id = crypto.randomUUID()
  return new Promise((resolve) => {
    const hear = ({ data }: MessageEvent): void => {
      if (data.id !== id) return
      worker.removeEventListener('message', hear)
      resolve({ value: data.value as never, error: data.error })
    }
    worker.addEventListener('message', hear)
    worker.postMessage({ id, ...question })
  })
}
