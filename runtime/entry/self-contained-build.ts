import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { TSchema } from '@sinclair/typebox'
import { writeStoredArchive } from '../archive/stored-archive.ts'
import {
  filesOf,
  readSelfContained,
  type SelfContainedBuild,
  writeSelfContained,
} from '../build/self-contained.ts'
import { isRecord, readPackageFile } from '../config/package-file.ts'
import { configSchema } from '../config/schema.ts'
import { makeStateDirectory } from '../config/state-directory.ts'
import { rayServeFiles } from './ray-serve.ts'

/** A project that is built. */
export interface BuiltProject {
  readonly projectDirectory: string
  /** Absolute paths of the folders that the configuration names. */
  readonly functionsDirectory: string
  readonly stateDirectory: string
}

/** A build that stands alone, in a folder. */
export interface BuiltFolder extends SelfContainedBuild {
  readonly directory: string
}

/**
 * Makes what `isoplex build` has written to a folder stand alone.
 *
 * @throws {IsoplexError} `BUILD_FAILED`, `CONFIG_INVALID`, as {@link writeSelfContained}
 */
export async function standAlone(
  project: BuiltProject,
  outputDirectory: string,
): Promise<SelfContainedBuild> {
  const { projectDirectory, functionsDirectory } = project
  const configFile = join(projectDirectory, 'config.yaml')
  const hasConfigFile = await stat(configFile).then(
    () => true,
    () => false,
  )
  return await writeSelfContained({
    outputDirectory,
    projectDirectory,
    functionsDirectory,
    packageFile: await publicPackageFile(projectDirectory),
    files: { ...rayServeFiles, ...(hasConfigFile ? { 'config.yaml': configFile } : {}) },
  })
}

/**
 * Builds a project into a folder of its state that is named for the content; equal content gives the same folder. `write`
 * writes the build itself to a folder that is there.
 *
 * @throws {IsoplexError} `BUILD_FAILED`, `CONFIG_INVALID`, as {@link writeSelfContained}, and whatever `write` throws
 */
export async function buildForDeployment(
  project: BuiltProject,
  write: (outputDirectory: string) => Promise<unknown>,
): Promise<BuiltFolder> {
  const parent = join(project.stateDirectory, 'deployments')
  const staged = join(parent, `.${crypto.randomUUID()}`)
  await makeStateDirectory(project.stateDirectory)
  await mkdir(staged, { recursive: true })
  try {
    await write(staged)
    const build = await standAlone(project, staged)
    const directory = join(parent, build.version)
    if ((await readSelfContained(directory)) === null) await rename(staged, directory)
    return { ...build, directory }
  } finally {
    await rm(staged, { recursive: true, force: true })
  }
}

/** Packs a folder into a zip archive with the one top folder that Ray asks of a remote working directory. */
export async function writeArchive(directory: string, archive: string): Promise<void> {
  const files = await Promise.all(
    (await filesOf(directory)).map(async (name) => {
      const file = Bun.file(join(directory, name))
      return { name: `isoplex/${name}`, sizeBytes: file.size, read: () => file.stream() }
    }),
  )
  const partial = `${archive}.partial`
  const sink = Bun.file(partial).writer()
  for await (const chunk of writeStoredArchive(files)) {
    sink.write(chunk)
    await sink.flush()
  }
  await sink.end()
  await rename(partial, archive)
}

/** What the project says of itself. Settings that may hold a password stay here, and folders are the build's own. */
async function publicPackageFile(projectDirectory: string): Promise<Readonly<Record<string, unknown>>> {
  const { name, version, isoplex } = await readPackageFile(projectDirectory)
  const settings = Object.entries(isRecord(isoplex) ? isoplex : {}).filter(
    ([key]) => !isSecret(key) && key !== 'functionsDirectory' && key !== 'stateDirectory',
  )
  return {
    name: name ?? basename(projectDirectory),
    ...(version === undefined ? {} : { version }),
    type: 'module',
    isoplex: Object.fromEntries(settings),
  }
}

function isSecret(key: string): boolean {
  const schemas: Readonly<Record<string, TSchema>> = configSchema.properties
  return schemas[key]?.secret === true
}
