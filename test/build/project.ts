import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Builder, BuilderOptions } from '../../runtime/build/build.ts'
import { createBuilder } from '../../runtime/build/build.ts'

const repository = fileURLToPath(new URL('../..', import.meta.url))

/** A project in a folder of its own, in which `isoplex` and TypeBox are installed. */
export interface TestProject extends AsyncDisposable {
  readonly directory: string
  /** Writes files, named relative to the project. */
  write(files: Readonly<Record<string, string>>): Promise<void>
  /** Removes a file or folder. */
  remove(path: string): Promise<void>
  /** A builder of the project, disposed of with it. */
  builder(options?: Partial<BuilderOptions>): Builder
}

/** Makes a project with some files; it is removed when it is disposed of. */
export async function createProject(files: Readonly<Record<string, string>> = {}): Promise<TestProject> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'isoplex-project-')))
  const builders: Builder[] = []
  const project: TestProject = {
    directory,
    async write(added) {
      for (const [name, text] of Object.entries(added)) {
        await mkdir(dirname(join(directory, name)), { recursive: true })
        await writeFile(join(directory, name), text)
      }
    },
    remove: (path) => rm(join(directory, path), { recursive: true }),
    builder(options = {}) {
      const environment = { PATH: process.env.PATH ?? '' }
      const builder = createBuilder({ projectDirectory: directory, environment, ...options })
      builders.push(builder)
      return builder
    },
    async [Symbol.asyncDispose]() {
      for (const builder of builders) await builder[Symbol.asyncDispose]()
      await rm(directory, { recursive: true, force: true })
    },
  }
  await mkdir(join(directory, 'node_modules'))
  await symlink(repository, join(directory, 'node_modules/isoplex'))
  await symlink(join(repository, 'node_modules/@sinclair'), join(directory, 'node_modules/@sinclair'))
  await project.write({ 'package.json': '{ "name": "project", "type": "module" }', ...files })
  return project
}

/** The text of a function file that answers with a constant. */
export function constantFunction(answer: string): string {
  return `import { defineFunction } from 'isoplex'
export default defineFunction({ access: 'public', handler: () => ${JSON.stringify(answer)} })
`
}
