import { dirname } from 'node:path'

/**
 * Takes into a bundle what a file imports by a name of its own package, such as `#decoder`: one file for servers and
 * another for browsers, as `imports` in the `package.json` above it says. A bundler that leaves packages outside would
 * leave such names outside too, where they mean nothing. A name that stands for another package is left to the bundler.
 */
export const ownImports: Bun.BunPlugin = {
  name: 'own-imports',
  setup: (build) => {
    build.onResolve({ filter: /^#/ }, ({ path, importer }) => {
      const found = resolve(path, dirname(importer))
      return found === null || /[\\/]node_modules[\\/]/.test(found) ? undefined : { path: found }
    })
  },
}

/** `null` where the name stands for nothing, which the bundler says itself, with the place. */
function resolve(name: string, directory: string): string | null {
  try {
    return Bun.resolveSync(name, directory)
  } catch {
    return null
  }
}
