import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defineStep, type Step } from '../../runtime/define/step.ts'
import { createStepRegistry } from '../../runtime/define/step-registry.ts'

describe('a registry of steps', () => {
  it('gives its steps in their order, with their number and weight', () => {
    const steps = createStepRegistry([step('a'), step('b', 2)])
    expect(namesIn(steps)).toEqual(['a', 'b'])
    expect(steps).toHaveLength(2)
    expect(steps.totalWeight).toBe(3)
    expect(steps.get('b')?.weight).toBe(2)
    expect(steps.get('c')).toBeUndefined()
    expect(namesIn(createStepRegistry())).toEqual([])
  })

  it('adds steps at the end, before and after others, and takes them out', () => {
    const steps = createStepRegistry([step('a')])
    steps.register(step('d')).insertAfter('a', step('c')).insertBefore('c', step('b')).unregister('d')
    expect(namesIn(steps)).toEqual(['a', 'b', 'c'])
  })

  it('refuses a name that is there, wherever it would come, and stays as it was', () => {
    const steps = createStepRegistry([step('a'), step('b')])
    const twice = new TypeError('The step "a" is registered twice.')
    expect(() => steps.register(step('a'))).toThrow(twice)
    expect(() => steps.insertBefore('b', step('a'))).toThrow(twice)
    expect(() => steps.insertAfter('b', step('a'))).toThrow(twice)
    expect(() => createStepRegistry([step('a'), step('a')])).toThrow(twice)
    expect(namesIn(steps)).toEqual(['a', 'b'])
  })

  it('refuses a place that is not there, and names those that are', () => {
    const steps = createStepRegistry([step('a'), step('b')])
    const unknown = new TypeError('There is no step "c"; there are "a", "b".')
    expect(() => steps.unregister('c')).toThrow(unknown)
    expect(() => steps.insertBefore('c', step('d'))).toThrow(unknown)
    expect(() => steps.insertAfter('c', step('d'))).toThrow(unknown)
    expect(() => createStepRegistry().unregister('c')).toThrow('There is no step "c"; there are none.')
  })

  it('refuses what is no step', () => {
    expect(() => createStepRegistry().register({ name: 'a', weight: 1 } as Step)).toThrow('"execute"')
  })

  it('is not disturbed by changes while it is read', () => {
    const steps = createStepRegistry([step('a'), step('b')])
    for (const { name } of steps) steps.unregister(name)
    expect(steps).toHaveLength(0)
  })

  it('behaves as a list without doubles', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd', 'e')
    const changes = fc.array(
      fc.record({
        kind: fc.constantFrom('register', 'unregister', 'insertBefore', 'insertAfter'),
        place: name,
        name,
      }),
    )
    fc.assert(
      fc.property(changes, (list) => {
        const steps = createStepRegistry()
        let expected: string[] = []
        for (const change of list) {
          const next = changed(expected, change)
          const apply = () => {
            if (change.kind === 'register') steps.register(step(change.name))
            else if (change.kind === 'unregister') steps.unregister(change.place)
            else if (change.kind === 'insertBefore') steps.insertBefore(change.place, step(change.name))
            else steps.insertAfter(change.place, step(change.name))
          }
          if (next === null) expect(apply).toThrow(TypeError)
          else apply()
          expected = next ?? expected
          expect(namesIn(steps)).toEqual(expected)
        }
      }),
    )
  })
})

interface Change {
  readonly kind: string
  readonly place: string
  readonly name: string
}

/** A list after a change; `null` where the change is to be refused. */
function changed(list: readonly string[], { kind, place, name }: Change): string[] | null {
  const index = list.indexOf(place)
  if (kind !== 'register' && index === -1) return null
  if (kind === 'unregister') return list.toSpliced(index, 1)
  if (list.includes(name)) return null
  const at = { register: list.length, insertBefore: index, insertAfter: index + 1 }[kind] ?? 0
  return list.toSpliced(at, 0, name)
}

function step(name: string, weight = 1): Step {
  return defineStep({ name, weight, execute() {} })
}

function namesIn(steps: Iterable<Step>): string[] {
  return [...steps].map(({ name }) => name)
}
