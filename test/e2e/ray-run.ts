import { fileURLToPath } from 'node:url'
import type { TestProject } from '../support/server.ts'

/** A run of `isoplex run` that goes on. */
export interface RayRun {
  /** Resolves once its error output fits. */
  said(pattern: RegExp): Promise<void>
  /** Presses Ctrl-C. */
  interrupt(): void
  end(): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>
}

const mainFile = fileURLToPath(new URL('../../runtime/cli/main.ts', import.meta.url))

/** Starts `isoplex run` in a project, with further variables. */
export function startRayRun(
  project: Pick<TestProject, 'directory'>,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): RayRun {
  const child = Bun.spawn([process.execPath, mainFile, 'run', ...args], {
    cwd: project.directory,
    env: { ...process.env, ...environment },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  let stderr = ''
  let heard = Promise.withResolvers<void>()
  const listening = (async () => {
    const decoder = new TextDecoder()
    for await (const bytes of child.stderr) {
      stderr += decoder.decode(bytes, { stream: true })
      heard.resolve()
      heard = Promise.withResolvers()
    }
  })()
  return {
    async said(pattern) {
      while (!pattern.test(stderr)) {
        const next = await Promise.race([heard.promise, child.exited])
        if (typeof next === 'number' && !pattern.test(stderr))
          throw new Error(`It ended (${next}):\n${stderr}`)
      }
    },
    interrupt: () => child.kill('SIGINT'),
    async end() {
      const [stdout, code] = await Promise.all([new Response(child.stdout).text(), child.exited])
      await listening
      return { code, stdout, stderr }
    },
  }
}

/** Four clients that ask again and again, until they are told to end. */
export function startAsking(ask: () => Promise<{ readonly status: number; readonly text: string }>): {
  end(): Promise<{ readonly answered: number; readonly failed: readonly string[] }>
} {
  let answered = 0
  let isOver = false
  const failed: string[] = []
  const clients = Array.from({ length: 4 }, async () => {
    while (!isOver) {
      const { status, text } = await ask()
      if (status === 200) answered += 1
      else failed.push(`${status} ${text}`)
    }
  })
  return {
    async end() {
      isOver = true
      await Promise.all(clients)
      return { answered, failed }
    },
  }
}
