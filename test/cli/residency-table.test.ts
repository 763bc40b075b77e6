import { describe, expect, it } from 'vitest'
import { formatAge, formatResidency } from '../../runtime/cli/residency-table.ts'
import type { DepartureReport } from '../../runtime/replica/residency-report.ts'
import { replicaOf, residentOf } from '../server/metrics/metrics-sources.ts'

const nowMs = 200_000
const key = (tenant: string, name: string): string => `embedded/${tenant}/${name}~0123456789abcdef`

describe('the table of what is loaded', () => {
  it('shows each runner in its replica, and a replica without any', () => {
    const mine = residentOf(1, 'digits', { requests: 7, lastUsedAtMs: 199_000, pinned: true })
    const theirs = residentOf(2, 'digits', { modelKey: key('a%20b', 'digits@1'), state: 'starting' })
    const spare = { ...replicaOf(1), state: 'spare' as const, residentSetBytes: 0 }
    const report = { replicas: [replicaOf(0, mine, theirs), spare], departures: [], backlog: [] }
    expect(formatResidency(report, nowMs).split('\n')).toEqual([
      'REPLICA  PID   MEMORY   FUNCTION  MODEL         STATE     SINCE  SIZE    REQUESTS  USED  PINNED',
      '0        1000  50.0 MB  read      digits@1      active    3m     1.0 KB  7         1s    yes',
      '0        1000  50.0 MB  read      a b/digits@1  starting  3m     1.0 KB  0         3m    -',
      '1 spare  1001  -        -         -             spare     3m     -       -         -     -',
    ])
  })

  it('shows a function without a model', () => {
    const report = { replicas: [replicaOf(0, residentOf(1, null))], departures: [], backlog: [] }
    expect(formatResidency(report, nowMs).split('\n')[1]).toBe(
      '0        1000  50.0 MB  read      -      active  3m     -     0         3m    -',
    )
  })

  it('shows the models of a graph together', () => {
    const both = residentOf(1, 'digits+words', {
      modelKey: `${key('', 'digits@1')}+${key('', 'words@2')}`,
      version: '1+2',
    })
    const report = { replicas: [replicaOf(0, both)], departures: [], backlog: [] }
    expect(formatResidency(report, nowMs).split('\n')[1]).toMatch('read      digits@1+words@2  active')
  })

  it('shows what waits, and the last ten that have left', () => {
    const left = (replica: number): DepartureReport => ({
      function: 'read',
      deployment: 'read',
      modelKey: key('', 'digits@'),
      replica,
      reason: 'bytes',
      atMs: 140_000,
      bytes: 1,
      requests: 3,
      residentMs: 7_200_000,
    })
    const backlog = [
      {
        function: 'read',
        deployment: 'read',
        modelKey: key('', 'digits@1'),
        modelId: 'digits',
        version: '1',
        waiting: 12,
      },
    ]
    const departures = Array.from({ length: 30 }, (_, replica) => left(replica))
    const [, waiting = '', gone = ''] = formatResidency({ replicas: [], departures, backlog }, nowMs).split(
      '\n\n',
    )
    expect(waiting.split('\n')).toEqual(['WAITING  FUNCTION  MODEL', '12       read      digits@1'])
    const lines = gone.split('\n')
    expect(lines).toHaveLength(11)
    expect(lines.slice(0, 2)).toEqual([
      'LEFT    WHY    FUNCTION  MODEL   REPLICA  AFTER  REQUESTS',
      '1m ago  bytes  read      digits  0        2h     3',
    ])
  })
})

it.each([
  [-5, '0s'],
  [59_999, '59s'],
  [60_000, '1m'],
  [3_599_999, '59m'],
  [86_399_999, '23h'],
  [86_400_000 * 9, '9d'],
])('%d ms are %s', (ms, text) => {
  expect(formatAge(ms)).toBe(text)
})
