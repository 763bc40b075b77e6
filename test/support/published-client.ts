import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import packageFile from '../../package.json' with { type: 'json' }

const repository = fileURLToPath(new URL('../..', import.meta.url))

/** Where the client lies in a package that {@link publishClient} has made. */
export const clientFile = 'isoplex/dist/client.js'

/** Puts the package into a folder of packages, with as much of it as pages bundle: the client, made as for publishing. */
export async function publishClient(packages: string): Promise<void> {
  const target = join(packages, clientFile)
  const [, ...words] = packageFile.scripts['build:client'].split(' ')
  const command = words.map((word) => (word.startsWith('--outfile=') ? `--outfile=${target}` : word))
  const child = Bun.spawn([process.execPath, ...command], {
    cwd: repository,
    stdout: 'ignore',
    stderr: 'pipe',
  })
  const said = await new Response(child.stderr).text()
  if ((await child.exited) !== 0) throw new Error(`The client was not made:\n${said}`)
  await cp(join(repository, 'package.json'), join(packages, 'isoplex/package.json'))
}
