import { describe, expect, it } from 'vitest'
import { fixture, openScene } from './page-scene.ts'

describe('the module of a function', () => {
  it.each([
    ['throws', 'throwing'],
    ['is no function', 'empty'],
    ['is missing', 'nowhere'],
  ])('that %s is broken, and is remembered as such', async (_, file) => {
    await using scene = await openScene()
    for (let time = 0; time < 2; time += 1) {
      const told = await scene.end(scene.send({ name: 'acting', moduleUrl: fixture(file), json: {} }))
      expect(told).toMatchObject({ error: { code: 'FUNCTION_BROKEN' } })
      expect(JSON.stringify(told)).not.toContain('secret')
    }
  })
})
