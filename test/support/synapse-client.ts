const script = new URL('./synapse_client.py', import.meta.url).pathname

/** The Python that has PyJWT and requests. */
const python = process.env.ISOPLEX_PYTHON ?? 'python3'

/** Why the Python client cannot run here; `null` where it can. */
export function pythonAbsence(): string | null {
  try {
    const tried = Bun.spawnSync([python, '-c', 'import jwt, requests'], { stdout: 'ignore', stderr: 'pipe' })
    return tried.success ? null : tried.stderr.toString().trim().split('\n').at(-1) || 'it cannot import them'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** A client in Python that sends what the Synapse SDK sends. */
export interface SynapseClient extends AsyncDisposable {
  /** Has the client do something, and gives what came of it. Questions are answered one after another. */
  ask(question: Readonly<Record<string, unknown>>): Promise<ReturnType<typeof JSON.parse>>
}

/** Starts the client. */
export function startSynapseClient(): SynapseClient {
  const child = Bun.spawn([python, script], {
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'inherit',
    env: { ...process.env, NO_PROXY: '*' },
  })
  const lines = readLines(child.stdout)
  let last: Promise<unknown> = Promise.resolve()
  const exchange = async (question: Readonly<Record<string, unknown>>): Promise<unknown> => {
    child.stdin.write(`${JSON.stringify(question)}\n`)
    child.stdin.flush()
    const { done, value } = await lines.next()
    if (done) throw new Error(`The Python client ended (${await child.exited}).`)
    return JSON.parse(value)
  }
  return {
    ask(question) {
      const answered = last.then(() => exchange(question))
      last = answered.catch(() => undefined)
      return answered
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      child.kill()
      await child.exited
    },
  }
}

async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
}
