import { readFile } from 'node:fs/promises'

/**
 * Lets a bundler leave out what a bundle does not use of TypeBox. TypeBox gives its constructors out as a constant that
 * holds a module, which no bundler takes apart; given out as that module itself, two thirds of a small function's
 * bundle fall away. Another form of that file is left as it is.
 */
export const schemaShaking: Bun.BunPlugin = {
  name: 'schema-shaking',
  setup: (build) => {
    build.onLoad(
      { filter: /[\\/]@sinclair[\\/]typebox[\\/]build[\\/]esm[\\/]type[\\/]type[\\/]index\.mjs$/ },
      async ({ path }) => {
        return { contents: giveOutModule(await readFile(path, 'utf8')), loader: 'js' }
      },
    )
  },
}

/** The text of the file with `Type` as the module that it holds. */
export function giveOutModule(text: string): string {
  const [, module] = /^import \* as TypeBuilder from '([^']+)';$/m.exec(text) ?? []
  const constant = /^const Type = TypeBuilder;$/m
  const given = /^export { Type };$/m
  if (module === undefined || !constant.test(text) || !given.test(text)) return text
  return text.replace(constant, '').replace(given, `export * as Type from '${module}';`)
}
