import fc from 'fast-check'
import { expect, it } from 'vitest'
import { visibleEnvironment } from '../../runtime/replica/environment.ts'

it('shows what every program needs, and nothing else', () => {
  const environment = {
    PATH: '/bin',
    HOME: '/root',
    SECRET_KEY: 'hunter2',
    ISOPLEX_KEY: 'k',
    DATABASE_URL: 'd',
  }
  expect(visibleEnvironment(environment, [])).toEqual({ PATH: '/bin', HOME: '/root' })
})

it('shows what the operator names besides', () => {
  const environment = { PATH: '/bin', DATABASE_URL: 'd', OTHER: 'o' }
  expect(visibleEnvironment(environment, ['DATABASE_URL', 'MISSING'])).toEqual({
    PATH: '/bin',
    DATABASE_URL: 'd',
  })
})

it('shows an empty variable as such, and none that is not there', () => {
  expect(visibleEnvironment({ TZ: '', LANG: undefined }, [])).toEqual({ TZ: '' })
})

it('does not change any more', () => {
  expect(Object.isFrozen(visibleEnvironment({}, []))).toBe(true)
})

it('never shows a name that was not named', () => {
  const names = fc.array(fc.stringMatching(/^SECRET_[A-Z]{1,8}$/), { maxLength: 5 })
  fc.assert(
    fc.property(
      fc.dictionary(fc.stringMatching(/^SECRET_[A-Z]{1,8}$/), fc.string()),
      names,
      (environment, named) => {
        const visible = visibleEnvironment(environment, named)
        expect(visible).toEqual(
          Object.fromEntries(Object.entries(environment).filter(([name]) => named.includes(name))),
        )
      },
    ),
  )
})

it('shows no variable that begins like a secret of ours', () => {
  const environment = new Proxy({}, { get: () => 'set' })
  const shown = Object.keys(visibleEnvironment(environment, []))
  expect(shown.filter((name) => /KEY|SECRET|TOKEN|PASSWORD|ISOPLEX|DATABASE|AWS/i.test(name))).toEqual([])
  expect(shown.length).toBeGreaterThan(5)
})
