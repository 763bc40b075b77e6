import {
  constants,
  copyFile,
  cp,
  link,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises'
import { basename, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { IsoplexError } from '../error/error.ts'
import { type PackageNeed, type PlacedPackage, placePackages } from './package-placement.ts'

/** What a build is made to stand alone from. */
export interface SelfContainedOptions {
  /** The folder that `writeOutput` has written. */
  readonly outputDirectory: string
  readonly projectDirectory: string
  readonly functionsDirectory: string
  /** What the project says of itself, less what is secret: the `package.json` of the build. */
  readonly packageFile: Readonly<Record<string, unknown>>
  /** Further files by their names in the folder. */
  readonly files: Readonly<Record<string, string>>
}

/** A build that runs wherever its folder is put. */
export interface SelfContainedBuild {
  /** Equal for equal content. */
  readonly version: string
  /** The packages that went along. */
  readonly packages: readonly PlacedPackage[]
}

const marker = 'isoplex-build.json'
const ownName = 'isoplex'
const ownDirectory = fileURLToPath(new URL('../..', import.meta.url))
/** As much of isoplex as serves; pages come as files, so that nothing that makes them is needed. */
const ownParts = ['runtime', 'adapters', 'package.json', 'LICENSE']
const pageParts: ReadonlySet<string> = new Set(['onnxruntime-web', 'preact'])
/** Where packages keep native code by system, as onnxruntime-node does. */
const nativeFolder = /\/bin\/napi-v\d+\/([^/]+)(?:\/([^/]+))?/

/**
 * Makes a build stand alone: beside bundles and manifest there are then isoplex and Bun, the packages that these and the
 * bundles need on a machine like this one, the models of the functions folder and what the project says of itself. No
 * key goes along, no environment file and nothing of the state folder. Files of packages are linked where they can be.
 *
 * @throws {IsoplexError} `BUILD_FAILED` where a package that is needed is not installed, `CONFIG_INVALID` where the
 * folder holds a `node_modules` that no such build has written.
 */
export async function writeSelfContained(options: SelfContainedOptions): Promise<SelfContainedBuild> {
  const { outputDirectory, functionsDirectory, packageFile, files } = options
  await clear(outputDirectory)
  const packages = await placePackages(await needsOf(options)).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new IsoplexError('BUILD_FAILED', `${reason} Install it.`, {
      cause,
      details: { file: '', line: null },
    })
  })
  await writeOwn(outputDirectory)
  for (const placed of packages) await writePackage(placed, outputDirectory)
  const models = join(functionsDirectory, '_models')
  if (await exists(models)) await cp(models, join(outputDirectory, 'functions/_models'), { recursive: true })
  await writeFile(join(outputDirectory, 'package.json'), `${JSON.stringify(packageFile, null, 2)}\n`)
  for (const [name, path] of Object.entries(files)) await copyFile(path, join(outputDirectory, name))
  const version = await versionOf(outputDirectory, packages)
  await writeFile(join(outputDirectory, marker), `${JSON.stringify({ version })}\n`)
  return Object.freeze({ version, packages })
}

/** The version of a build that stands alone; `null` where the folder holds none. */
export async function readSelfContained(directory: string): Promise<string | null> {
  const text = await readFile(join(directory, marker), 'utf8').catch(() => null)
  if (text === null) return null
  const { version }: { version?: unknown } = JSON.parse(text)
  return typeof version === 'string' ? version : null
}

/** Every file of a folder, relative to it with forward slashes, in order. */
export async function filesOf(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)).replaceAll(sep, '/'))
    .toSorted()
}

async function clear(directory: string): Promise<void> {
  const modules = join(directory, 'node_modules')
  if (!(await exists(modules))) return
  if ((await readSelfContained(directory)) === null) {
    const message = `${modules} is not of a build that stands alone; write to another folder.`
    throw new IsoplexError('CONFIG_INVALID', message)
  }
  await rm(modules, { recursive: true })
}

async function needsOf({ outputDirectory, projectDirectory }: SelfContainedOptions): Promise<PackageNeed[]> {
  const imported = await importedPackages(join(outputDirectory, 'bundles'))
  const { dependencies = {} }: { dependencies?: Readonly<Record<string, string>> } = JSON.parse(
    await readFile(join(ownDirectory, 'package.json'), 'utf8'),
  )
  return [
    { from: projectDirectory, target: '', names: imported.filter((name) => name !== ownName) },
    {
      from: ownDirectory,
      target: `node_modules/${ownName}`,
      names: Object.keys(dependencies).filter((name) => !pageParts.has(name)),
    },
  ]
}

/** The packages that the bundles import, in whatever way. */
async function importedPackages(bundlesDirectory: string): Promise<readonly string[]> {
  const transpiler = new Bun.Transpiler({ loader: 'js' })
  const names = new Set<string>()
  for (const bundle of await readdir(bundlesDirectory)) {
    if (!bundle.endsWith('.js')) continue
    const code = await readFile(join(bundlesDirectory, bundle), 'utf8')
    for (const { path } of transpiler.scanImports(code)) {
      const name = /^(?:@[^/]+\/)?[^/:.][^/:]*/.exec(path)?.[0]
      if (name !== undefined && !/^(?:node|bun|data):/.test(path) && name !== 'bun') names.add(name)
    }
  }
  return [...names].filter((name) => !isBuiltinModule(name))
}

function isBuiltinModule(name: string): boolean {
  return process.getBuiltinModule(name) !== undefined
}

async function writePackage({ source, target }: PlacedPackage, outputDirectory: string): Promise<void> {
  for (const file of await packageFiles(source)) {
    const native = nativeFolder.exec(`/${file}`)
    if (native && (native[1] !== process.platform || (native[2] && native[2] !== process.arch))) continue
    await place(join(source, file), join(outputDirectory, target, file))
  }
}

/** Packages inside of a package have places of their own. */
async function packageFiles(source: string): Promise<readonly string[]> {
  const found: string[] = []
  for (const entry of await readdir(source, { withFileTypes: true })) {
    if (entry.name === 'node_modules') continue
    if (entry.isDirectory()) {
      const inner = await filesOf(join(source, entry.name))
      found.push(
        ...inner.filter((file) => !file.includes('node_modules/')).map((file) => `${entry.name}/${file}`),
      )
    } else if (entry.isFile()) found.push(entry.name)
  }
  return found
}

async function place(from: string, to: string): Promise<void> {
  await mkdir(join(to, '..'), { recursive: true })
  // On another file system, or where links are not for this user.
  await link(from, to).catch(() => copyFile(from, to, constants.COPYFILE_FICLONE))
}

/** Isoplex as it runs now: its sources may be changed in place, so that they are copied. */
async function writeOwn(outputDirectory: string): Promise<void> {
  for (const part of ownParts) {
    const path = join(ownDirectory, part)
    if (!(await exists(path))) continue
    await cp(path, join(outputDirectory, 'node_modules', ownName, part), {
      recursive: true,
      filter: (file) => basename(file) !== '__pycache__',
    })
  }
}

/** What packages hold is told by their versions. */
async function versionOf(directory: string, packages: readonly PlacedPackage[]): Promise<string> {
  const hasher = new Bun.CryptoHasher('sha256')
  for (const { target, version } of packages) hasher.update(`${target}@${version}\n`)
  const own = `node_modules/${ownName}`
  const inner = [`${own}/runtime`, `${own}/adapters`, 'bundles', 'functions', 'browser']
  const tops = ['manifest.json', 'package.json', 'isoplex_shim.py', 'config.yaml']
  for (const folder of inner) {
    if (!(await exists(join(directory, folder)))) continue
    for (const file of await filesOf(join(directory, folder))) await add(`${folder}/${file}`)
  }
  for (const file of tops) if (await exists(join(directory, file))) await add(file)
  return hasher.digest('hex').slice(0, 16)

  async function add(file: string): Promise<void> {
    hasher.update(`${file}\n`)
    hasher.update(await Bun.file(join(directory, file)).bytes())
  }
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  )
}
