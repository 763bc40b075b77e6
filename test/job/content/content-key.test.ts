import { resolve, sep } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { assertContentKey, isContentKey } from '../../../runtime/job/content/content-key.ts'

it('takes names with slashes between, and no other text', () => {
  for (const key of ['a', 'job_01/in-put', 'A/b/C', `${'a'.repeat(128)}/b`]) assertContentKey(key)
  for (const key of ['', '/', 'a/', '/a', 'a//b', 'a.b', 'a b', 'a\n', 'é']) {
    expect(() => assertContentKey(key)).toThrow(TypeError)
  }
})

it('takes nothing that leads out of a folder, or to it itself', () => {
  const piece = fc.oneof(fc.constantFrom('.', '..', '/', '\\', '\0', 'a', '%2e', ':'), fc.string())
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const key = pieces.join('')
      return !isContentKey(key) || resolve('/shelf', key).startsWith(`${sep}shelf${sep}`)
    }),
  )
})
