import { dirname, extname, join } from 'node:path'
import { locateText, type Mistake, placeOf, type SourcePlace, toMistake, toProjectPath } from './mistake.ts'

/** An import as a source file writes it. */
export interface SourceImport {
  /** The file that imports, relative to the project. */
  readonly file: string
  readonly specifier: string
}

/** A bundling that failed, and the files that may mend it when they change. */
export interface BundleFailure {
  readonly mistake: Mistake
  readonly suspects: readonly string[]
}

/** What is read into a bundle; anything else would have to lie beside it. */
const bundledExtensions: ReadonlySet<string> = new Set([
  ...['.ts', '.tsx', '.mts', '.cts', '.js', '.jsx', '.mjs', '.cjs'],
  ...['.json', '.jsonc', '.json5', '.toml', '.yaml', '.yml', '.txt'],
])

/** Reads what the bundler says of a file that it could not bundle. */
export function failureOfLogs(
  logs: readonly (BuildMessage | ResolveMessage)[],
  file: string,
  projectDirectory: string,
): BundleFailure {
  const errors = logs.filter(({ level }) => level === 'error')
  const [error] = errors
  if (!error) return { mistake: toMistake(placeOf(file), 'The bundler gave no reason.'), suspects: [] }
  const others = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  const { position, message } = error
  const place = position?.file
    ? { file: toProjectPath(projectDirectory, position.file), line: position.line, column: position.column }
    : placeOf(file)
  const missing = 'specifier' in error ? [join(dirname(place.file), error.specifier)] : []
  return { mistake: toMistake(place, `${message}${others}`), suspects: [place.file, ...missing] }
}

/** Names the import that would have made a bundle more than one file. */
export async function failureOfAssets(metafile: Bun.BuildMetafile, file: string): Promise<BundleFailure> {
  const asset = Object.entries(metafile.inputs)
    .flatMap(([importer, { imports }]) => imports.map((found) => ({ ...found, file: importer })))
    .find(({ external, path, with: attributes }) => {
      return !external && (attributes?.type === 'file' || !bundledExtensions.has(extname(path)))
    })
  if (!asset) {
    return {
      mistake: toMistake(placeOf(file), 'It becomes several files, where a bundle is one.'),
      suspects: [],
    }
  }
  const specifier = asset.original ?? asset.path
  const place = await locateImport({ file: asset.file, specifier })
  const reason = `"${specifier}" cannot be part of a bundle, which holds code, JSON, YAML, TOML and text only.`
  return { mistake: toMistake(place, reason), suspects: [asset.file] }
}

/** Where a file imports something; the file as a whole where its text does not show it. */
export async function locateImport({ file, specifier }: SourceImport): Promise<SourcePlace> {
  const quoted = new RegExp(`(['"\`])${RegExp.escape(specifier)}\\1`)
  return locateText(file, await Bun.file(file).text(), quoted) ?? placeOf(file)
}
