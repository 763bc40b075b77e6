import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { deploymentSchema } from '../../runtime/config/deployment-schema.ts'
import { structureMistake } from '../../runtime/config/structure-mistake.ts'

const least = { name: 'fast', function: 'digits' }

describe('structureMistake', () => {
  it('finds nothing where nothing is wrong', () => {
    expect(structureMistake(deploymentSchema, least)).toBeNull()
  })

  it.each([
    [{ ...least, replcas: 1 }, '/replcas is not known; the nearest is /replicas.'],
    [{ ...least, 'a/b~c': 1 }, /^\/a~1b~0c is not known; the nearest is/],
    [{ ...least, replicas: { min: 1, mx: 2 } }, '/replicas/mx is not known; the nearest is /replicas/max.'],
    [{ ...least, replicas: { min: 1 } }, '/replicas/max is missing; it must be an integer from 1 to 256.'],
    [
      { ...least, replicas: '2' },
      '/replicas must be an integer from 1 to 256, or an object with min and max; it is "2".',
    ],
    [{ ...least, resources: { provider: 'wasm' } }, /^\/resources\/provider must be one of auto, cpu, cuda/],
    [{ ...least, timeoutMs: 0 }, '/timeoutMs must be an integer from 1 to 2147483647; it is 0.'],
    [{ function: 'digits' }, /^\/name is missing; it must be made of letters/],
    [[], 'It must be an object; it is [].'],
  ])('says of %j what is wrong', (value, message) => {
    expect(structureMistake(deploymentSchema, value)).toEqual(
      typeof message === 'string' ? message : expect.stringMatching(message),
    )
  })

  it('cuts short what it shows', () => {
    const mistake = structureMistake(Type.Integer({ expected: 'a number' }), 'x'.repeat(10_000))
    expect(mistake?.length).toBeLessThan(150)
  })
})
