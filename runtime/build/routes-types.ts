import { join, resolve } from 'node:path'
import { writeIfChanged } from './atomic-file.ts'
import type { Manifest } from './manifest.ts'
import { toProjectPath } from './mistake.ts'

/** Where the types of a project's routes are written. */
export interface RoutesTypesOptions {
  readonly projectDirectory: string
  /** Seen from the project. @default '.isoplex' */
  readonly stateDirectory?: string
}

/**
 * Writes `routes.d.ts` into the state folder: the interface `Routes`, which names the type of each function, so
 * that a client is typed by the functions themselves. A file that says the same already stays untouched.
 */
export async function writeRoutesTypes(manifest: Manifest, options: RoutesTypesOptions): Promise<void> {
  const { projectDirectory, stateDirectory = '.isoplex' } = options
  const directory = resolve(projectDirectory, stateDirectory)
  const path = (file: string) => toProjectPath(directory, join(projectDirectory, file))
  await writeIfChanged(join(directory, 'routes.d.ts'), renderRoutesTypes(manifest, path))
}

/** The text of `routes.d.ts`; `pathOf` names a source file as seen from it. */
export function renderRoutesTypes({ functions }: Manifest, pathOf: (file: string) => string): string {
  const members = functions.map(({ name, file }) => {
    return `  readonly ${JSON.stringify(name)}: typeof import(${JSON.stringify(pathOf(file))}).default\n`
  })
  return `// Written by isoplex at each build.

/** The functions of this project by their names. */
export interface Routes {
${members.join('')}}
`
}
