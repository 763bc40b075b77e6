import { relative, resolve, sep } from 'node:path'

/** A source map of version 3, as far as it is read here. */
interface SourceMap {
  readonly sources: readonly string[]
  readonly [member: string]: unknown
}

/**
 * Appends a source map to a bundle's code, its sources named as seen from the bundles' folder: this is how Bun
 * finds file and line of what the bundle throws. `sourceRoot` is what the map's sources are relative to.
 */
export function appendSourceMap(
  code: string,
  map: string,
  { bundlesDirectory, sourceRoot }: { readonly bundlesDirectory: string; readonly sourceRoot: string },
): string {
  const { debugId: _, sources, ...rest } = JSON.parse(map) as SourceMap
  const seen = sources.map((source) =>
    relative(bundlesDirectory, resolve(sourceRoot, source)).split(sep).join('/'),
  )
  const encoded = Buffer.from(JSON.stringify({ ...rest, sources: seen })).toString('base64')
  const bare = code.replace(/\n\/\/# debugId=\w+\s*$/, '\n').trimEnd()
  return `${bare}\n//# sourceMappingURL=data:application/json;base64,${encoded}\n`
}
