import { expect, it } from 'vitest'
import { toFunctionRoute } from '../../runtime/route/function-route.ts'

it('takes name and route of the file', () => {
  expect(toFunctionRoute('admin/[id].ts')).toMatchObject({
    file: 'admin/[id].ts',
    name: 'admin/[id]',
    pattern: { path: '/admin/:id' },
  })
})

it('takes name and route of the function where it says them', () => {
  const route = toFunctionRoute('admin/[id].ts', { name: 'user', route: '/v1/[user]' })
  expect(route).toMatchObject({ file: 'admin/[id].ts', name: 'user', pattern: { path: '/v1/:user' } })
})

it('saves a file by its route whose name makes none', () => {
  expect(toFunctionRoute('a b.ts', { route: '/a-b' }).pattern.path).toBe('/a-b')
  expect(() => toFunctionRoute('a b.ts', { name: 'a-b' })).toThrow('a b.ts makes no route')
})
