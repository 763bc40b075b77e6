import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const cache = join(repository, 'node_modules/.cache/ray')

/**
 * The Python that has Ray: `ISOPLEX_RAY_PYTHON` names it, else it is one that a benchmark has installed; `null` where
 * there is none.
 */
export async function findRayPython(): Promise<string | null> {
  const named = process.env.ISOPLEX_RAY_PYTHON
  if (named) return named
  const found = [...new Bun.Glob('*/complete').scanSync({ cwd: cache, dot: true })].sort()
  const [first] = found
  return first === undefined ? null : join(cache, first, '../bin/python')
}

/** The Python that has the packages of a file, made where it is not there yet. */
export async function installRayPython(requirements: string): Promise<string> {
  const place = join(cache, (await digestOf(requirements)).slice(0, 16))
  const python = join(place, 'bin/python')
  if (await Bun.file(join(place, 'complete')).exists()) return python
  await rm(place, { recursive: true, force: true })
  await mkdir(cache, { recursive: true })
  await run(['python3.11', '-m', 'venv', place])
  await run([python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements])
  await Bun.write(join(place, 'complete.partial'), '')
  await rename(join(place, 'complete.partial'), join(place, 'complete'))
  return python
}

/** Of what the file says and of what those say that it names. */
async function digestOf(requirements: string): Promise<string> {
  const hasher = new Bun.CryptoHasher('sha256')
  const add = async (path: string): Promise<void> => {
    const text = await Bun.file(path).text()
    hasher.update(text)
    for (const [, named] of text.matchAll(/^-r (.+)$/gm)) await add(join(path, '..', named ?? ''))
  }
  await add(requirements)
  return hasher.digest('hex')
}

async function run(command: readonly string[]): Promise<void> {
  const child = Bun.spawn([...command], { stdout: 'ignore', stderr: 'inherit' })
  if ((await child.exited) !== 0) throw new Error(`"${command.join(' ')}" failed.`)
}
