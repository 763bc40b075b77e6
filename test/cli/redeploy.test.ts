import { describe, expect, it } from 'vitest'
import { toChange } from '../../runtime/cli/redeploy.ts'

describe('the change that flags ask for', () => {
  it.each([
    [{ replicas: '2' }, { replicas: 2 }],
    [{ replicas: '0-4' }, { replicas: { min: 0, max: 4 } }],
    [{ replicas: 'shared' }, { replicas: null }],
    [{ options: '{"a":[1]}' }, { options: { a: [1] } }],
    [{ options: 'null' }, { options: null }],
    [
      { settings: '{"timeoutMs":5}', replicas: '1' },
      { timeoutMs: 5, replicas: 1 },
    ],
  ])('of %j is %j', (flags, change) => {
    expect(toChange(flags)).toEqual(change)
  })

  it.each([
    [{}, /name --replicas, --options or --settings/],
    [{ replicas: '0' }, /--replicas must be/],
    [{ replicas: '-1' }, /--replicas must be/],
    [{ replicas: '257' }, /\/replicas must be an integer from 1 to 256/],
    [{ replicas: '1-999' }, /\/replicas/],
    [{ options: '{' }, /--options must be JSON/],
    [{ settings: '[]' }, /--settings must be an object/],
    [{ settings: '1' }, /--settings must be an object/],
    [{ settings: '{"timeout":5}' }, /\/timeout is not known; the nearest is \/timeoutMs/],
  ])('of %j is refused', (flags, message) => {
    expect(() => toChange(flags)).toThrow(message)
  })
})
