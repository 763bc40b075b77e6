import type { ThreadOrder } from '../adapters/fixtures/session-thread.ts'

/** How a process ended and what it said. */
export interface ProcessEnd {
  readonly exitCode: number | null
  readonly output: string
  readonly errors: string
}

/** Runs a TypeScript file in a Bun process of its own. */
export async function runInProcess(file: URL, ...args: readonly string[]): Promise<ProcessEnd> {
  const child = Bun.spawn([process.execPath, file.pathname, ...args], { stdout: 'pipe', stderr: 'pipe' })
  const [output, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  await child.exited
  return { exitCode: child.exitCode, output, errors }
}

/** Runs threads with sessions in a process of their own. */
export function runSessionThreads(order: ThreadOrder, threads: number, rounds: number): Promise<ProcessEnd> {
  const owner = new URL('../adapters/fixtures/session-owner.ts', import.meta.url)
  return runInProcess(owner, JSON.stringify(order), String(threads), String(rounds))
}
