import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { listFiles, parseSource, readSources, readText, repository } from '../support/source-files.ts'
import { assertNoFindings, type Finding, formatFinding } from './finding.ts'
import {
  checkCommands,
  checkDeclared,
  checkLock,
  checkPins,
  checkTopLevel,
  checkUsed,
  type LockFile,
  type PackageFile,
} from './package.ts'

/** All that lies at the top, in version control. */
const topLevel = [
  '.ci',
  '.gitignore',
  '.npmrc',
  'LICENSE',
  'README.md',
  'adapters',
  'biome.json',
  'bunfig.toml',
  'functions',
  'package-lock.json',
  'package.json',
  'runtime',
  'test',
  'tsconfig.json',
]

interface Published {
  readonly bin: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  readonly files: readonly string[]
}

const packageFile: PackageFile & Published = JSON.parse(readText('package.json'))
const lockFile: LockFile = JSON.parse(readText('package-lock.json'))
const sources = readSources(['runtime', 'adapters', 'functions', 'test'])
const show = (findings: Finding[]) => findings.map(formatFinding)

/** The commands that a package installs. */
function commandsOf(name: string): string[] {
  const path = `node_modules/${name}/package.json`
  const { bin }: { readonly bin?: string | Readonly<Record<string, string>> } = JSON.parse(readText(path))
  return typeof bin === 'object' ? Object.keys(bin) : bin === undefined ? [] : [name.replace(/^.*\//, '')]
}

describe('the package', () => {
  it('pins every dependency', () => {
    assertNoFindings(checkPins(packageFile))
  })

  it('declares what it imports', () => {
    assertNoFindings(checkDeclared(sources, packageFile))
  })

  it('uses what it declares', () => {
    const names = Object.keys({ ...packageFile.dependencies, ...packageFile.devDependencies })
    const commands = Object.fromEntries(names.map((name) => [name, commandsOf(name)]))
    const steps = [...Object.values(packageFile.scripts), ...listFiles(['.ci']).map(readText)]
    const shebangs = sources.map(({ text }) => /^#!.*/.exec(text)?.[0] ?? '')
    assertNoFindings(checkUsed(sources, packageFile, commands, [...steps, ...shebangs].join('\n')))
  })

  it('locks what it declares, and names no host', () => {
    assertNoFindings(checkLock(lockFile, packageFile))
  })

  it('publishes files that exist', () => {
    const { bin, exports, files } = packageFile
    const exported = Object.values(exports).flatMap((entry) =>
      typeof entry === 'string' ? [entry] : Object.values(entry),
    )
    const published = [...Object.values(bin), ...exported, ...files].map((path) => join('.', path))
    // What the package alone has is made when it is packed.
    const made = (path: string): boolean =>
      packageFile.scripts['build:client']?.endsWith(`--outfile=${path}`) === true ||
      existsSync(join(repository, path.replace(/^dist\/types\b/, '').replace(/\.d\.ts$/, '.ts')))
    expect(published.filter((path) => !existsSync(join(repository, path)) && !made(path))).toEqual([])
  })

  it('has at the top what belongs there and nothing else', (context) => {
    if (!existsSync(join(repository, '.git'))) return context.skip('this copy is not under version control')
    const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: repository, encoding: 'utf8' })
    const entries = tracked.split('\0').map((path) => path.replace(/\/.*/, ''))
    assertNoFindings(checkTopLevel([...new Set(entries)].filter(Boolean), topLevel))
  })

  it('has the scripts that the README runs', () => {
    assertNoFindings(checkCommands(readText('README.md'), packageFile))
  })
})

describe('the checks', () => {
  const base: PackageFile = {
    dependencies: { jose: '6.2.17' },
    devDependencies: { vitest: '4.1.11' },
    scripts: { test: 'vitest run', 'test:gpu': 'vitest run test/adapters' },
  }

  it.each(['^1.2.3', '~1.2.3', '1.2', '*', 'latest', 'file:../a', 'npm:a@1.2.3', '1.2.3 || 1.2.4'])(
    'refuse the version %j',
    (version) => {
      const findings = checkPins({ ...base, devDependencies: { vitest: version } })
      expect(show(findings)).toEqual([expect.stringContaining(`takes vitest as ${version};`)])
    },
  )

  it.each(['1.2.3', '1.2.3-beta.4'])('take the version %j', (version) => {
    expect(checkPins({ ...base, dependencies: { jose: version } })).toEqual([])
  })

  it.each([
    ['runtime/a/a.ts', `import 'vitest'`, /imports vitest, which is not in dependencies/],
    ['runtime/a/a.ts', `import 'lodash/map'`, /imports lodash, /],
    ['runtime/a/a.ts', `import type { A } from '@a/b/c'`, /imports @a\/b, /],
    ['test/a/a.test.ts', `await import('lodash')`, /imports lodash, which is not in devDependencies/],
  ])('refuse in %s: %s', (path, text, message) => {
    expect(show(checkDeclared([parseSource(path, text)], base))).toEqual([expect.stringMatching(message)])
  })

  it.each([
    [
      'runtime/a/a.ts',
      `import 'jose/jwt'\nimport 'node:fs'\nimport { dlopen } from 'bun:ffi'\nimport './b.ts'`,
    ],
    ['functions/a.ts', `import 'isoplex'`],
    ['functions/a.ts', `import '#own'`],
    ['functions/_models/a/train.ts', `require(\`vitest/\${name}.json\`)`],
    ['test/a/a.test.ts', `import 'jose'\nimport 'vitest'`],
  ])('allow in %s: %s', (path, text) => {
    expect(checkDeclared([parseSource(path, text)], base)).toEqual([])
  })

  it('see a dependency that only tests use, or nothing', () => {
    const tested = [parseSource('test/a/a.test.ts', `import 'jose'`)]
    const shipped = [parseSource('runtime/a/a.ts', `import 'jose'`)]
    expect(show(checkUsed(tested, base, { vitest: ['vitest'] }, 'vitest run'))).toEqual([
      expect.stringContaining('has jose,'),
    ])
    expect(show(checkUsed(shipped, base, { vitest: ['vitest'] }, 'vitest-run'))).toEqual([
      expect.stringContaining('has vitest,'),
    ])
    expect(checkUsed(shipped, base, { vitest: ['vitest'] }, 'bun --bun vitest run')).toEqual([])
  })

  it('want types for what is there only', () => {
    const used = [parseSource('runtime/a/a.ts', `import 'jose'`)]
    const typed = (name: string) =>
      show(checkUsed(used, { ...base, devDependencies: { [name]: '1.0.0' } }, {}, ''))
    expect(typed('@types/jose')).toEqual([])
    expect(typed('@types/lodash')).toEqual([expect.stringContaining('has @types/lodash,')])
  })

  it('see a lock file that names hosts or holds something else', () => {
    const lock = (jose: string, resolved?: string): LockFile => ({
      packages: {
        '': { dependencies: { jose }, devDependencies: { vitest: '4.1.11' } },
        'node_modules/jose': { version: jose, ...(resolved === undefined ? {} : { resolved }) },
        'node_modules/vitest': { version: '4.1.11' },
      },
    })
    expect(checkLock(lock('6.2.17'), base)).toEqual([])
    expect(show(checkLock(lock('6.2.16'), base))).toEqual([expect.stringContaining('has jose otherwise')])
    expect(show(checkLock(lock('6.2.17', 'https://a.example/jose.tgz'), base))).toEqual([
      expect.stringContaining('leave resolved out'),
    ])
  })

  it('see what is strange or missing at the top', () => {
    expect(show(checkTopLevel(['runtime', 'notes.md'], ['runtime', 'LICENSE']))).toEqual([
      expect.stringMatching(/^notes\.md:1 is new/),
      expect.stringMatching(/^LICENSE:1 is not tracked/),
    ])
  })

  it('see a command of the README that is no script', () => {
    const readme = [
      'npm install && npm run dev',
      '`npm test`, `npm run test:gpu` or `bun run test`',
      'npm run -s isoplex -- token',
      'bun run runtime/cli/main.ts; bun run main.ts; npm start',
    ]
    expect(show(checkCommands(readme.join('\n'), base))).toEqual([
      expect.stringMatching(/^README\.md:1 runs the script dev,/),
      expect.stringMatching(/^README\.md:3 runs the script isoplex,/),
      expect.stringMatching(/^README\.md:4 runs the script start,/),
    ])
  })
})
