import { describe, expect, it } from 'vitest'
import { createLogger, type Logger, type LoggerOptions, selectLogFormat } from '../../runtime/observe/log.ts'

function recorder(options: Partial<LoggerOptions> = {}): {
  readonly log: Logger
  readonly lines: string[]
  readonly entries: () => Record<string, unknown>[]
} {
  const lines: string[] = []
  const log = createLogger({ write: (line) => lines.push(line), now: () => 0, ...options })
  return { log, lines, entries: () => lines.map((line) => JSON.parse(line)) }
}

describe('createLogger', () => {
  it('writes each entry as one line', () => {
    const { log, lines } = recorder()
    log.info('Listening\non a port', { port: 3000 })
    expect(lines).toEqual([
      '{"time":"1970-01-01T00:00:00.000Z","level":"info","message":"Listening\\non a port","port":3000}\n',
    ])
  })

  it('writes its own level and graver ones', () => {
    for (const [level, count] of [
      ['debug', 4],
      ['info', 3],
      ['warn', 2],
      ['error', 1],
    ] as const) {
      const { log, lines } = recorder({ level })
      log.debug('a')
      log.info('b')
      log.warn('c')
      log.error('d')
      expect(lines).toHaveLength(count)
    }
  })

  it('adds the fields of a child to its lines, and lets a line override them', () => {
    const { log, entries } = recorder()
    const child = log.child({ function: 'digits', replica: 1 }).child({ replica: 2 })
    child.info('a')
    child.info('b', { function: 'speech' })
    log.info('c')
    expect(entries().map(({ function: name, replica }) => [name, replica])).toEqual([
      ['digits', 2],
      ['speech', 2],
      [undefined, undefined],
    ])
  })

  it('writes stacks at the level error only', () => {
    const { log, lines } = recorder()
    const error = new Error('boom')
    log.warn('a', { error })
    log.error('b', { error })
    expect(lines.map((line) => line.includes('log.test'))).toEqual([false, true])
  })

  it('replaces secrets in messages and fields', () => {
    const { log, lines } = recorder()
    log.info('got eyJhbGciOiJIUzI1NiJ9.eyJtb2RlbCI6IjEifQ.c2ln', { token: 'opaque', query: { apiKey: 'k' } })
    expect(lines.join()).not.toMatch(/eyJ|opaque|"k"/)
  })

  it('never throws, whatever it is given and wherever it writes', () => {
    const log = createLogger({
      write: () => {
        throw new Error('EPIPE')
      },
    })
    const hostile = {
      get a(): never {
        throw new Error('no')
      },
    }
    expect(() => log.error('a', hostile)).not.toThrow()
    expect(() => log.child(hostile).error('a')).not.toThrow()
    expect(() => log.error(new Error('in place of a message') as unknown as string)).not.toThrow()
  })
})

describe('selectLogFormat', () => {
  it.each([
    [{ terminal: false, environment: {} }, 'json'],
    [{ terminal: true, environment: {} }, 'coloured'],
    [{ terminal: true, environment: { NO_COLOR: '' } }, 'coloured'],
    [{ terminal: true, environment: { NO_COLOR: '1' } }, 'plain'],
    [{ terminal: true, environment: { TERM: 'dumb' } }, 'plain'],
    [{ terminal: false, environment: { NO_COLOR: '1' } }, 'json'],
  ] as const)('for %j takes %s', (surroundings, format) => {
    expect(selectLogFormat(surroundings)).toBe(format)
  })
})
