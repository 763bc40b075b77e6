/** A source map of version 3, as far as it is read here. */
interface SourceMap {
  readonly sources: readonly string[]
  readonly [member: string]: unknown
}

/** Appends a source map to code. `nameOf` gives each of the map's sources the name under which it is to be known. */
export function appendSourceMap(code: string, map: string, nameOf: (source: string) => string): string {
  const { debugId: _, sources, ...rest } = JSON.parse(map) as SourceMap
  const encoded = Buffer.from(JSON.stringify({ ...rest, sources: sources.map(nameOf) })).toString('base64')
  return `${withoutDebugId(code)}//# sourceMappingURL=data:application/json;base64,${encoded}\n`
}

/** Code without the mark that the bundler leaves at its end for a source map. It ends with a line's end. */
export function withoutDebugId(code: string): string {
  return `${code.replace(/\n\/\/# debugId=\w+\s*$/, '\n').trimEnd()}\n`
}
