import type { FunctionManifest } from '../../runtime/build/manifest.ts'

/** The manifest of a function file in `functions/`, with a route after its name. */
export function sampleFunction(name: string, overrides: Partial<FunctionManifest> = {}): FunctionManifest {
  return {
    name,
    file: `functions/${name}.ts`,
    route: `/${name}`,
    path: `/${name}`,
    kind: 'function',
    methods: ['GET'],
    bundle: `${name.replaceAll('/', '--')}-0123456789abcdef.js`,
    sources: [`functions/${name}.ts`],
    access: 'token',
    runs: ['server'],
    idempotent: true,
    accepts: [],
    ...overrides,
  }
}
