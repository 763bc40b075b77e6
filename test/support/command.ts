import { until } from './server.ts'

const mainFile = new URL('../../runtime/cli/main.ts', import.meta.url).pathname

/** How the command is called. */
export interface CallOfCommand {
  readonly directory: string
  readonly environment?: Readonly<Record<string, string>>
}

/** What a command that has ended leaves behind. */
export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A command under way, and what it has said so far. */
export interface RunningCommand extends AsyncDisposable {
  readonly pid: number
  stdout(): string
  stderr(): string
  /** Waits until the standard output has something, and gives what the pattern captured first. */
  said(pattern: RegExp): Promise<string>
  kill(signal: NodeJS.Signals): void
  /** Closes what it writes to, so that every further line meets a closed pipe. */
  hangUp(): Promise<void>
  /** Resolves at the end with the exit code, or with the signal's name. */
  readonly ended: Promise<number | string>
}

/** The words of the command line that runs `isoplex` from its sources. */
export function commandLine(...args: readonly string[]): string[] {
  return [process.execPath, mainFile, ...args]
}

/** Longer than any command takes that ends by itself. */
const longestRunMs = 15_000

/** Runs `isoplex` to its end, which is forced where it does not come. */
export async function runCommand(call: CallOfCommand, ...args: readonly string[]): Promise<Outcome> {
  const child = Bun.spawn(commandLine(...args), {
    ...optionsOf(call),
    stdout: 'pipe',
    stderr: 'pipe',
    timeout: longestRunMs,
    killSignal: 'SIGKILL',
  })
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  return { code, stdout, stderr }
}

/** Starts `isoplex` with pipes for its output. */
export function startCommand(call: CallOfCommand, ...args: readonly string[]): RunningCommand {
  const child = Bun.spawn(commandLine(...args), { ...optionsOf(call), stdout: 'pipe', stderr: 'pipe' })
  return follow(child, [listen(child.stdout), listen(child.stderr)])
}

/** Starts `isoplex` on a terminal, which takes standard output and standard error alike. */
export function startOnTerminal(call: CallOfCommand, ...args: readonly string[]): RunningCommand {
  let screen = ''
  const decoder = new TextDecoder()
  const terminal = {
    cols: 200,
    rows: 50,
    data: (_: unknown, bytes: Uint8Array) => {
      screen += decoder.decode(bytes, { stream: true })
    },
  }
  const child = Bun.spawn(commandLine(...args), { ...optionsOf(call), terminal })
  const output = { text: () => screen, close: () => Promise.resolve(child.terminal?.close()) }
  return follow(child, [output, output])
}

function optionsOf({ directory, environment = {} }: CallOfCommand): {
  cwd: string
  env: Record<string, string>
} {
  const { NO_COLOR: _, FORCE_COLOR: __, ...inherited } = process.env as Record<string, string>
  return { cwd: directory, env: { ...inherited, TERM: 'xterm', ...environment } }
}

/** One of a command's outputs: what was heard of it so far. */
interface Heard {
  text(): string
  close(): Promise<void>
}

function follow(child: Bun.Subprocess, [stdout, stderr]: readonly [Heard, Heard]): RunningCommand {
  const ended = child.exited.then(() => child.signalCode ?? child.exitCode ?? -1)
  return {
    pid: child.pid,
    stdout: stdout.text,
    stderr: stderr.text,
    ended,
    kill: (signal) => child.kill(signal),
    async hangUp() {
      await Promise.all([stdout.close(), stderr.close()])
    },
    async said(pattern) {
      let over = false
      void ended.then(() => {
        over = true
      })
      await until(() => pattern.test(stdout.text()) || over)
      const [whole, first] = pattern.exec(stdout.text()) ?? []
      if (whole === undefined)
        throw new Error(`It ended (${await ended}) without it:\n${stdout.text()}${stderr.text()}`)
      return first ?? whole
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

function listen(stream: ReadableStream<Uint8Array>): Heard {
  const reader = stream.getReader()
  const decoder = new TextDecoder()
  let text = ''
  void (async () => {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      text += decoder.decode(value, { stream: true })
    }
  })()
  return { text: () => text, close: () => reader.cancel() }
}
