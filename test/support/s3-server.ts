import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { S3Client } from 'bun'

/** A real S3-compatible server with the bucket `models`, in a process of its own. */
export interface S3Server extends AsyncDisposable {
  readonly url: string
  /** Endpoint and credentials that it takes. */
  readonly options: {
    readonly endpoint: string
    readonly accessKeyId: string
    readonly secretAccessKey: string
    readonly region: string
  }
  write(key: string, bytes: Uint8Array): Promise<void>
}

/** Why there is no S3 server on this machine; `null` where there is one. */
export function absenceOfS3Server(): string | null {
  return findServer() === null ? 'the package s3rver is not installed' : null
}

/** Starts one on a free port of 127.0.0.1, over an empty folder. */
export async function startS3Server(): Promise<S3Server> {
  const server = findServer()
  if (server === null) throw new Error('The package s3rver is not installed.')
  const directory = await mkdtemp(join(tmpdir(), 'isoplex-s3-'))
  const place = ['--directory', directory, '--address', '127.0.0.1', '--port', '0']
  const child = Bun.spawn([process.execPath, server, ...place, '--silent', '--configure-bucket', 'models'], {
    stdout: 'pipe',
    stderr: 'ignore',
  })
  const url = await readUrl(child.stdout)
  const options = {
    endpoint: url,
    accessKeyId: 'S3RVER',
    secretAccessKey: 'S3RVER',
    region: 'us-east-1',
  }
  const client = new S3Client({ ...options, bucket: 'models' })
  return {
    url,
    options,
    async write(key, bytes) {
      await client.write(key, bytes)
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await child.exited
      await rm(directory, { recursive: true, force: true })
    },
  }
}

function findServer(): string | null {
  try {
    return fileURLToPath(import.meta.resolve('s3rver/bin/s3rver.js'))
  } catch {
    return null
  }
}

async function readUrl(output: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let text = ''
  for await (const part of output.pipeThrough(new TextDecoderStream())) {
    text += part
    const url = /listening on (?:http:\/\/)?([\d.]+:\d+)/i.exec(text)?.[1]
    if (url !== undefined) return `http://${url}`
  }
  throw new Error(`The S3 server said ${JSON.stringify(text)} and ended.`)
}
