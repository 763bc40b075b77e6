import { join, relative, sep } from 'node:path'
import { functionNameOf, isFunctionFile } from '../route/pattern.ts'
import type { BuildDirectories, FunctionFile } from './bundle.ts'

/** Where a bundle begins. */
export interface BundleEntry {
  readonly entrypoint: string
  /** Make the entry known to the bundler. */
  readonly plugins: readonly Bun.BunPlugin[]
}

const namespace = 'isoplex'
const name = 'entry.js'
/** Stands before a file of the project, so that no path of this host gets into a bundle or its source map. */
const ownFile = 'isoplex-file:'

/** The other function files among the inputs of a bundle, in the order of their names. */
export function functionFilesOf(
  inputs: readonly string[],
  { file: entry }: FunctionFile,
  { projectDirectory, functionsDirectory }: Pick<BuildDirectories, 'projectDirectory' | 'functionsDirectory'>,
): readonly FunctionFile[] {
  const named = inputs.map((file) => ({
    file,
    functionFile: relative(functionsDirectory, join(projectDirectory, file)).split(sep).join('/'),
  }))
  return named
    .filter(({ file, functionFile }) => file !== entry && isFunctionFile(functionFile))
    .sort((left, right) => (left.functionFile < right.functionFile ? -1 : 1))
}

/**
 * The entry of a function's bundle: the file itself, or a module around it that exports its definition as `default`, and
 * those of the function files that it imports as `functions`, each after the name of its file. So it is known in a bundle
 * which function a definition is.
 */
export function bundleEntryOf(
  { file }: FunctionFile,
  others: readonly FunctionFile[],
  projectDirectory: string,
): BundleEntry {
  if (others.length === 0) return { entrypoint: join(projectDirectory, file), plugins: [] }
  const imports = [file, ...others.map((other) => other.file)].map(
    (path, index) => `import * as module${index} from ${JSON.stringify(ownFile + path)}\n`,
  )
  const pairs = others.map(
    ({ functionFile }, index) =>
      `[${JSON.stringify(functionNameOf(functionFile))}, module${index + 1}.default]`,
  )
  const contents = `${imports.join('')}export default module0.default\nexport const functions = [${pairs.join(', ')}]\n`
  const plugin: Bun.BunPlugin = {
    name: 'bundle-entry',
    setup(build) {
      build.onResolve({ filter: new RegExp(`^${namespace}:${RegExp.escape(name)}$`) }, () => ({
        path: name,
        namespace,
      }))
      build.onResolve({ filter: new RegExp(`^${ownFile}`) }, ({ path }) => ({
        path: join(projectDirectory, path.slice(ownFile.length)),
      }))
      build.onLoad({ filter: /.*/, namespace }, () => ({ loader: 'js', contents }))
    },
  }
  return { entrypoint: `${namespace}:${name}`, plugins: [plugin] }
}

/** Whether an input of a bundle is a file, and not the module around one. */
export function isFileInput(input: string): boolean {
  return input !== `${namespace}:${name}`
}
