import { readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join } from 'node:path'
import type { SourceImport } from './bundle-mistake.ts'
import { toProjectPath } from './mistake.ts'

/** Built-in modules of Bun that are packages elsewhere, with builds of their own for browsers. */
const packagesToo: ReadonlySet<string> = new Set(['undici', 'ws'])
const builtins = builtinModules.filter((name) => !packagesToo.has(name) && !/^(?:bun|node)\b/.test(name))
const serverOnly = new RegExp(
  `^(?:node:.*|bun(?::.*)?|onnxruntime-node(?:/.*)?|${builtins.map((name) => RegExp.escape(name)).join('|')})$|\\.node$`,
)

/** Watches over a build for browsers. */
export interface BrowserGuard {
  /** Leaves what only a server has as imports, so that the build ends and its graph shows how they came to be. */
  readonly plugin: Bun.BunPlugin
  /** The imports of what only a server has, in the order in which they were met. */
  readonly found: readonly SourceImport[]
}

/**
 * Makes the guard of one build. A module that comes with Bun or Node, a native library or `onnxruntime-node` is for
 * servers only, unless the package that imports it says in its `package.json`, under `browser`, what stands in for it,
 * or a package of that very name is installed for it, as `events` often is.
 */
export function createBrowserGuard(projectDirectory: string): BrowserGuard {
  const found: SourceImport[] = []
  return {
    found,
    plugin: {
      name: 'browser-guard',
      setup: (build) => {
        build.onResolve({ filter: serverOnly }, ({ path, importer }) => {
          if (hasStandIn(path, importer)) return undefined
          const installed = builtins.includes(path) ? findPackage(path, importer) : null
          if (installed !== null) return { path: installed }
          found.push({ file: toProjectPath(projectDirectory, importer), specifier: path })
          return { path, external: true }
        })
      },
    },
  }
}

/** Whether the package of a file names something to take in a browser in place of a module. */
function hasStandIn(specifier: string, importer: string): boolean {
  for (let folder = dirname(importer); dirname(folder) !== folder; folder = dirname(folder)) {
    const text = readText(join(folder, 'package.json'))
    if (text === null) continue
    const { browser }: { readonly browser?: unknown } = JSON.parse(text)
    return typeof browser === 'object' && browser !== null && specifier in browser
  }
  return false
}

/** The file of a package that has the name of a module which comes with Node; a slash behind it asks for the package. */
function findPackage(name: string, importer: string): string | null {
  try {
    return Bun.resolveSync(`${name}/`, dirname(importer))
  } catch {
    return null
  }
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
