import { basename, extname } from 'node:path'
import { hashText } from '../content-hash.ts'
import { withoutDebugId } from '../source-map.ts'
import { fileNameOf } from './file-name.ts'

/** A file that a bundler made, as it named it. */
export interface NamedText {
  readonly path: string
  readonly text: string
}

/**
 * Renames what a bundler made of one entry after its content: each file's name holds the hash of its text, in which
 * the files that it imports have their new names. Gives the files by the names that they had.
 *
 * @throws {Error} where files import each other in a circle: none of them could be named first.
 */
export function renameByContent(outputs: readonly NamedText[]): ReadonlyMap<string, NamedText> {
  const byName = new Map(outputs.map((output) => [basename(output.path), output]))
  const renamed = new Map<string, NamedText>()
  const open = new Set<string>()
  const rename = (name: string, { text }: NamedText): NamedText => {
    const known = renamed.get(name)
    if (known) return known
    if (open.has(name)) throw new Error(`${name} imports itself by way of ${[...open].join(', ')}.`)
    open.add(name)
    let own = withoutDebugId(text)
    for (const [other, output] of byName) {
      // An entry names itself in the list of what it need not load once more, where another name does no harm.
      if (other !== name && own.includes(`./${other}`))
        own = own.replaceAll(`./${other}`, `./${rename(other, output).path}`)
    }
    open.delete(name)
    const file = { path: fileNameOf(stemOf(name), hashText(own), extname(name).slice(1)), text: own }
    renamed.set(name, file)
    return file
  }
  for (const [name, output] of byName) rename(name, output)
  return renamed
}

/** A name without its ending, and without the mark by which the bundler tells chunks of one name apart. */
function stemOf(name: string): string {
  return basename(name, extname(name)).replace(/(?<=.)-[0-9a-z]{8}$/, '')
}
