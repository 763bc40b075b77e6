import { expect, it } from 'vitest'
import { defineFunction } from '../../runtime/define/function.ts'
import { functionNamesIn } from '../../runtime/runner/function-names.ts'

it('are those of their files, or their own', () => {
  const plain = defineFunction({ handler: () => 1 })
  const named = defineFunction({ name: 'own', handler: () => 1 })
  const names = functionNamesIn({
    functions: [
      ['ocr/detect', plain],
      ['other', named],
      ['helping', undefined],
    ],
  })
  expect([...names]).toEqual([
    [plain, 'ocr/detect'],
    [named, 'own'],
  ])
  expect(functionNamesIn({}).size).toBe(0)
})
