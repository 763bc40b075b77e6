import { openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import type { Builder, BuilderOptions } from '../../runtime/build/build.ts'
import type { Manifest } from '../../runtime/build/manifest.ts'
import { createProject, type TestProject } from './project.ts'

/** A project with a builder of it, both gone when the test has ended. */
export interface Scene {
  readonly project: TestProject
  readonly builder: Builder
  /** What functions have printed since the last call. */
  printed(): string
}

const projects: TestProject[] = []

afterEach(async () => {
  for (const project of projects.splice(0)) await project[Symbol.asyncDispose]()
})

/** Makes a project with some files, and a builder of it. */
export async function setUpScene(
  files: Readonly<Record<string, string>>,
  options: Partial<BuilderOptions> = {},
): Promise<Scene> {
  const project = await createProject(files)
  projects.push(project)
  const path = join(project.directory, 'printed.txt')
  const builder = project.builder({ outputDescriptor: openSync(path, 'a'), ...options })
  let read = 0
  return {
    project,
    builder,
    printed() {
      const text = readFileSync(path, 'utf8')
      const fresh = text.slice(read)
      read = text.length
      return fresh
    },
  }
}

/** The text of a function that prints its name when it is imported, with a helper or without. */
export function printingFunction(name: string, helper?: string): string {
  return `import { defineFunction } from 'isoplex'
${helper === undefined ? 'const help = 0' : `import { help } from '${helper}'`}
console.log('${name}')
export default defineFunction({ access: 'public', handler: () => help })
`
}

/** The lines of a text, sorted. */
export function linesOf(text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .sort()
}

/** The files of the functions that a manifest names. */
export function filesOf({ functions }: Manifest): readonly string[] {
  return functions.map(({ file }) => file)
}
