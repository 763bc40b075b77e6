import { expect, it } from 'vitest'
import { readServerMachine } from '../../runtime/entry/machine.ts'

it('reads the machine as the engine of the server sees it', async () => {
  const facts = await readServerMachine()
  expect(facts).toMatchObject({ platform: process.platform, architecture: process.arch })
  expect(facts.backends.map(({ name }) => name)).toContain('cpu')
})
