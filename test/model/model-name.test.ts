import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isModelId } from '../../runtime/model/model-id.ts'
import {
  assertTargets,
  isAlias,
  type ModelName,
  type ModelSelector,
  parseModelName,
  parseTargets,
} from '../../runtime/model/model-name.ts'

const id = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/)
const version = fc.integer({ min: 1, max: 999_999_999_999_999 })
const alias = fc.stringMatching(/^[A-Za-z][A-Za-z0-9._-]{0,63}$/)
const selector: fc.Arbitrary<ModelSelector> = fc.oneof(
  fc.constant({ kind: 'newest' as const }),
  fc.record({ kind: fc.constant('version' as const), version }),
  fc.record({ kind: fc.constant('alias' as const), alias }),
)
const targets = fc.uniqueArray(fc.record({ version, weight: fc.integer({ min: 1, max: 1_000_000 }) }), {
  minLength: 1,
  maxLength: 16,
  selector: (target) => target.version,
})

/** Writes a name as it is to be read. */
function write({ id, selector }: ModelName): string {
  if (selector.kind === 'newest') return id
  return `${id}@${selector.kind === 'version' ? selector.version : selector.alias}`
}

describe('parseModelName', () => {
  it.each<[string, string, ModelSelector]>([
    ['digits', 'digits', { kind: 'newest' }],
    ['digits@3', 'digits', { kind: 'version', version: 3 }],
    ['digits@prod', 'digits', { kind: 'alias', alias: 'prod' }],
    ['7@v7', '7', { kind: 'alias', alias: 'v7' }],
  ])('reads %s', (text, id, selector) => {
    expect(parseModelName(text)).toEqual({ id, selector })
  })

  it('reads whatever is written', () => {
    fc.assert(
      fc.property(id, selector, (id, selector) => {
        expect(parseModelName(write({ id, selector }))).toEqual({ id, selector })
      }),
    )
  })

  it('reads nothing that it would write in another way', () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'a0.@-_ \n') }))
    fc.assert(
      fc.property(text, (text) => {
        const name = parseModelName(text)
        if (name === null) return
        expect(write(name)).toBe(text)
        expect(isModelId(name.id)).toBe(true)
      }),
    )
  })

  it.each([
    '',
    '@',
    '@3',
    'digits@',
    'digits@0',
    'digits@03',
    'digits@-1',
    'digits@3.0',
    'digits@3a',
    'digits@1e3',
    'digits@9999999999999999',
    'digits@_prod',
    'digits@prod@3',
    'digits@pröd',
    `digits@${'a'.repeat(65)}`,
    'digits@prod\n',
    'digits @prod',
    'a/b@prod',
  ])('reads nothing in %j', (text) => {
    expect(parseModelName(text)).toBeNull()
  })
})

describe('isAlias', () => {
  it('takes nothing that is a version', () => {
    fc.assert(fc.property(version, (version) => !isAlias(String(version))))
    for (const value of [3, null, undefined, ['prod']]) expect(isAlias(value)).toBe(false)
  })
})

describe('parseTargets', () => {
  it('reads a version, or versions with their weights', () => {
    expect(parseTargets('3')).toEqual([{ version: 3, weight: 1 }])
    expect(parseTargets('3:90,4:10')).toEqual([
      { version: 3, weight: 90 },
      { version: 4, weight: 10 },
    ])
  })

  it('reads whatever can be a target', () => {
    fc.assert(
      fc.property(targets, (targets) => {
        const text = targets.map(({ version, weight }) => `${version}:${weight}`).join(',')
        expect(parseTargets(text)).toEqual(targets)
      }),
    )
  })

  it.each(['', ',', '3,', '0', '3:0', '3:', ':3', '3:-1', '3:1.5', 'prod', '3 ', '3:1,3:2', '3:1000001'])(
    'refuses %j',
    (text) => {
      expect(() => parseTargets(text)).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }))
    },
  )

  it('refuses more than 16 versions, however many', () => {
    for (const count of [17, 100_000]) {
      const text = Array.from({ length: count }, (_, index) => index + 1).join(',')
      expect(() => parseTargets(text)).toThrow('must be 1 to 16 versions')
    }
  })
})

describe('assertTargets', () => {
  it.each([
    [[]],
    ['3' as never],
    [[{ version: 1.5, weight: 1 }]],
    [[{ version: '1' as never, weight: 1 }]],
    [[{ version: 1, weight: Number.NaN }]],
    [[null as never]],
    [
      [
        { version: 1, weight: 1 },
        { version: 1, weight: 2 },
      ],
    ],
  ])('refuses %j', (targets) => {
    expect(() => assertTargets(targets)).toThrow(
      expect.objectContaining({
        code: 'INPUT_INVALID',
        details: { issues: expect.arrayContaining([expect.objectContaining({ path: '/targets' })]) },
      }),
    )
  })
})
