/** A project whose function file is broken in one way, and what the build must say of it. */
export interface BrokenCase {
  readonly title: string
  readonly files: Readonly<Record<string, string>>
  /** `file:line:column`; the line or column is `-` where it cannot be known. */
  readonly place: string
  readonly reason: RegExp
}

const typebox = `import { Type } from '@sinclair/typebox'`
const define = `import { defineFunction } from 'isoplex'`

function broken(title: string, text: string, place: string, reason: RegExp): BrokenCase {
  return { title, files: { 'functions/broken.ts': text }, place, reason }
}

/** Each way in which a function file may be broken. The broken file is `functions/broken.ts`. */
export const brokenCases: readonly BrokenCase[] = [
  broken(
    'does not parse',
    'const a = 1\nexport default {\n  a: (,\n}\n',
    'functions/broken.ts:3:7',
    /^Unexpected ,$/,
  ),
  broken(
    'declares a name twice',
    'export default 1\nconst x = 1\nconst x = 2\n',
    'functions/broken.ts:3:7',
    /"x" has already been declared/,
  ),
  {
    title: 'imports a helper that does not parse',
    files: {
      'functions/broken.ts': `import { help } from '../lib/help.ts'\nexport default help\n`,
      'lib/help.ts': '\nexport const help = = 1\n',
    },
    place: 'lib/help.ts:2:21',
    reason: /Unexpected =/,
  },
  broken(
    'imports a helper that is missing',
    `\nimport { help } from './help.ts'\nexport default help\n`,
    'functions/broken.ts:2:22',
    /Could not resolve: ".\/help.ts"/,
  ),
  {
    title: 'imports a name that the helper does not export',
    files: {
      'functions/broken.ts': `import { help } from './_help.ts'\nexport default help\n`,
      'functions/_help.ts': 'export const other = 1\n',
    },
    place: 'functions/broken.ts:1:10',
    reason: /No matching export .* for import "help"/,
  },
  {
    title: 'imports JSON that is not JSON',
    files: {
      'functions/broken.ts': `import data from './data.json'\nexport default data\n`,
      'functions/data.json': '{\n  "a": 1,\n  "b" 2\n}\n',
    },
    place: 'functions/data.json:3:7',
    reason: /Expected/,
  },
  {
    title: 'imports a file that cannot be part of a bundle',
    files: {
      'functions/broken.ts': `${define}\nimport picture from './picture.png'\nexport default picture\n`,
      'functions/picture.png': 'not really',
    },
    place: 'functions/broken.ts:2:21',
    reason: /^"\.\/picture\.png" cannot be part of a bundle/,
  },
  broken(
    'imports a package that is missing',
    `${define}\nimport paint from 'no-such-package'\nexport default paint\n`,
    'functions/broken.ts:2:19',
    /^Cannot find the package "no-such-package"; is it installed\?$/,
  ),
  broken(
    'imports a name that the package does not export',
    `\n\nimport { NoSuchThing } from '@sinclair/typebox'\nexport default NoSuchThing\n`,
    'functions/broken.ts:3:29',
    /NoSuchThing/,
  ),
  broken(
    'throws when it is imported',
    'interface Shape {\n  side: number\n}\n\nthrow new RangeError("no\\nroom")\nexport default 1\n',
    'functions/broken.ts:5:11',
    /^RangeError: no room$/,
  ),
  {
    title: 'imports a helper that throws',
    files: {
      'functions/broken.ts': `import { help } from './_help.ts'\nexport default help\n`,
      'functions/_help.ts':
        'type Unused = string\n\nfunction fail(): never {\n  throw new Error("no help")\n}\nexport const help = fail()\n',
    },
    place: 'functions/_help.ts:4:13',
    reason: /^no help$/,
  },
  broken(
    'makes a package throw',
    `${typebox}\nexport default Type.Object(undefined as never)\n`,
    'functions/broken.ts:2:21',
    /TypeError/,
  ),
  broken(
    'throws what is no error',
    'throw "a word"\n',
    'functions/broken.ts:-:-',
    /^It threw "a word", which is no error\.$/,
  ),
  broken(
    'never ends its import in a loop',
    'for (;;) {}\n',
    'functions/broken.ts:-:-',
    /^Its import did not end within 2500 ms: it loops, or waits at its top level\.$/,
  ),
  broken(
    'never ends its import in a promise',
    'await new Promise(() => undefined)\nexport default 1\n',
    'functions/broken.ts:-:-',
    /did not end within 2500 ms/,
  ),
  broken(
    'leaves the process when it is imported',
    '\nfunction leave() {\n  process.exit(0)\n}\nleave()\n',
    'functions/broken.ts:3:11',
    /^It calls process\.exit\(0\) when it is imported\.$/,
  ),
  broken(
    'aborts the process when it is imported',
    'process.abort()\n',
    'functions/broken.ts:-:-',
    /^It ends the process that imports it \(SIGABRT\)\.$/,
  ),
  broken(
    'closes the channel to the parent when it is imported',
    'process.disconnect()\nawait new Promise(() => undefined)\n',
    'functions/broken.ts:-:-',
    /^It ends the process that imports it \(exit code 0\)\.$/,
  ),
  broken(
    'leaves a promise to fail when it is imported',
    `${define}\nvoid Promise.reject(new Error('nobody listens'))\nexport default defineFunction({ handler: () => 1 })\n`,
    'functions/broken.ts:2:25',
    /^nobody listens$/,
  ),
  broken('is empty', '', 'functions/broken.ts:-:-', /^It has no default export; export default what/),
  broken(
    'exports by name only',
    `export const answer = 1\n`,
    'functions/broken.ts:-:-',
    /^It has no default export;/,
  ),
  broken(
    'exports something foreign',
    '\nexport default { handler: () => 1 }\n',
    'functions/broken.ts:2:1',
    /^Its default export is of another kind \(object\); export default what/,
  ),
  broken(
    'gives an option outside its bounds',
    `${define}\nexport default defineFunction({\n  timeoutMs: -1,\n  handler: () => 1,\n})\n`,
    'functions/broken.ts:2:16',
    /"timeoutMs" must be above 0 .*; got -1/,
  ),
  broken(
    'gives an option of another type',
    `${define}\nexport default defineFunction({ access: 'everyone' as never, handler: () => 1 })\n`,
    'functions/broken.ts:2:1',
    /^The option "access" must be one of token, public; got "everyone"\.$/,
  ),
  broken(
    'has a schema that JSON cannot carry',
    `${typebox}\n${define}\nexport default defineFunction({ input: Type.Object({ when: Type.Date() }), handler: () => 1 })\n`,
    'functions/broken.ts:3:1',
    /^The schema "input" has Type\.Date\(\) at \/properties\/when, which JSON cannot carry; use Type\.String/,
  ),
  broken(
    'has a schema for parameters that its path has not',
    `${typebox}\n${define}\nexport default defineFunction({ params: Type.Object({ id: Type.String() }), handler: () => 1 })\n`,
    'functions/broken.ts:3:1',
    /^The schema "params" has "id", which is no path parameter of the route \/broken\.$/,
  ),
  broken(
    'names a route that is none',
    `${define}\nexport default defineFunction({ route: '/-/mine', handler: () => 1 })\n`,
    'functions/broken.ts:2:1',
    /makes no route\. The server itself answers/,
  ),
]
