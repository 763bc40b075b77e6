import { describe, expect, it } from 'vitest'
import { failureOfAssets, failureOfLogs } from '../../runtime/build/bundle-mistake.ts'

type Log = BuildMessage | ResolveMessage
type Imports = Bun.BuildMetafile['inputs'][string]['imports']

function log(level: string, message: string, position: object | null, rest: object = {}): Log {
  return { level, message, position, ...rest } as unknown as Log
}

function metafileOf(imports: Imports): Bun.BuildMetafile {
  return { inputs: { 'no/such/file.ts': { bytes: 1, imports } }, outputs: {} }
}

describe('failureOfLogs', () => {
  const position = { file: '/project/lib/help.ts', line: 2, column: 3 }

  it('tells the first error with its place, how many more there are, and whom to suspect', () => {
    const logs = [
      log('warning', 'odd', position),
      log('error', 'first', position),
      log('error', 'second', position),
    ]
    expect(failureOfLogs(logs, 'functions/a.ts', '/project')).toEqual({
      mistake: { place: { file: 'lib/help.ts', line: 2, column: 3 }, reason: 'first (and 1 more)' },
      suspects: ['lib/help.ts'],
    })
  })

  it('suspects the file that is missing', () => {
    const logs = [log('error', 'Could not resolve', position, { specifier: '../other/x.ts' })]
    expect(failureOfLogs(logs, 'functions/a.ts', '/project').suspects).toEqual(['lib/help.ts', 'other/x.ts'])
  })

  it('falls back on the function file where no place or reason is told', () => {
    const place = { file: 'functions/a.ts', line: null, column: null }
    expect(failureOfLogs([log('error', 'gone', null)], 'functions/a.ts', '/project').mistake.place).toEqual(
      place,
    )
    expect(failureOfLogs([], 'functions/a.ts', '/project').mistake.place).toEqual(place)
  })
})

describe('failureOfAssets', () => {
  it('says that the bundle became several files where no import shows why', async () => {
    const imports: Imports = [{ path: 'lib/help.ts', kind: 'import-statement' }]
    const { mistake } = await failureOfAssets(metafileOf(imports), 'functions/a.ts')
    expect(mistake.reason).toContain('several files')
  })
})
