import { expect, it } from 'vitest'
import { importFunction } from '../../runtime/entry/bundled-function.ts'
import { constantFunction, createProject } from '../build/project.ts'

it('imports what a function file exports, and nothing else', async () => {
  await using project = await createProject({
    'function.ts': constantFunction('hello'),
    'other.ts': 'export default { kind: "function" }',
  })
  const { definition, names } = await importFunction(`${project.directory}/function.ts`, 'hello')
  expect(definition).toMatchObject({ kind: 'function' })
  expect(names.get(definition)).toBe('hello')
  await expect(importFunction(`${project.directory}/other.ts`, 'other')).rejects.toMatchObject({
    code: 'FUNCTION_BROKEN',
    message: 'The bundle of "other" has no default export made by a define… function.',
  })
})
