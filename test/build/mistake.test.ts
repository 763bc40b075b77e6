import { describe, expect, it } from 'vitest'
import { locateError, locateText, placeOf, toMistake, toProjectPath } from '../../runtime/build/mistake.ts'

function errorWithStack(...frames: readonly string[]): Error {
  const error = new Error('failed')
  error.stack = ['Error: failed', ...frames.map((frame) => `    at ${frame}`)].join('\n')
  return error
}

describe('toMistake', () => {
  it('makes the reason one line that cannot steer a terminal', () => {
    const { reason } = toMistake(placeOf('a.ts'), ' two\n\tlines \u001b[31mred\u0007 \u009b1m end\r\n')
    expect(reason).toBe('two lines [31mred 1m end')
  })

  it('cuts a reason that is long, and says so where there is none', () => {
    expect(toMistake(placeOf('a.ts'), 'x'.repeat(10_000)).reason).toBe(`${'x'.repeat(499)}…`)
    expect(toMistake(placeOf('a.ts'), '\n').reason).toBe('No reason was given.')
  })
})

describe('locateError', () => {
  const locate = (error: unknown) => locateError(error, '/project', ['functions/a (1).ts', 'lib/help.ts'])

  it('finds the innermost place in one of the sources', () => {
    const error = errorWithStack(
      'check (/project/node_modules/some/index.js:1:2)',
      'map (native:1:11)',
      'async new Help (/project/lib/help.ts:4:13)',
      '/project/functions/a (1).ts:7:8',
    )
    expect(locate(error)).toEqual({ file: 'lib/help.ts', line: 4, column: 13 })
  })

  it.each([
    ['/project/functions/a (1).ts:7:8'],
    ['run (/project/functions/a (1).ts:7:8)'],
    ['<anonymous> (file:///project/functions/a%20(1).ts:7:8)'],
  ])('reads the frame "%s"', (frame) => {
    expect(locate(errorWithStack(frame))).toEqual({ file: 'functions/a (1).ts', line: 7, column: 8 })
  })

  it('finds nothing where no source is on the stack', () => {
    expect(locate(errorWithStack('/elsewhere/lib/help.ts:1:1', '/project/lib/help.ts'))).toBeNull()
    expect(locate('thrown text')).toBeNull()
    for (const stack of [undefined, 7, {}])
      expect(locate(Object.assign(new Error('x'), { stack }))).toBeNull()
  })
})

describe('locateText', () => {
  it('counts lines and columns from 1', () => {
    expect(locateText('a.ts', 'one\ntwo three', /three/)).toEqual({ file: 'a.ts', line: 2, column: 5 })
    expect(locateText('a.ts', 'one', /one/)).toEqual({ file: 'a.ts', line: 1, column: 1 })
    expect(locateText('a.ts', 'one', /two/)).toBeNull()
  })
})

describe('toProjectPath', () => {
  it('names paths inside and outside the project', () => {
    expect(toProjectPath('/project', '/project/lib/help.ts')).toBe('lib/help.ts')
    expect(toProjectPath('/project', '/shared/help.ts')).toBe('../shared/help.ts')
  })
})
