import { expect, it } from 'vitest'
import { readAdmission } from '../../../runtime/server/job/admission.ts'
import { answerWith } from '../served.ts'

it('reads the models that parameters name', () => {
  expect(readAdmission(answerWith('{"models":["digits@3","voices"]}')())).toEqual({
    models: ['digits@3', 'voices'],
  })
})

it.each(['{"models":[]', '{}', '[]', 'null', '{"models":"digits"}', '{"models":[5]}', ''])(
  'refuses %s, which no runner of an action answers',
  (text) => {
    expect(() => readAdmission(answerWith(text)())).toThrow()
  },
)

it('refuses a stream', () => {
  expect(() => readAdmission(answerWith(new Blob(['{"models":[]}']).stream())())).toThrow(
    'did not say which models',
  )
})
