import { expect, it } from 'vitest'
import { makeProject, startServer } from '../support/server.ts'

const showFunction = `
import { defineFunction } from 'isoplex'
// Read at import as well, which happens in the builder and in the runner.
const atImport = Object.keys(process.env)
export default defineFunction({
  access: 'public',
  handler: () => ({ names: Object.keys(process.env), atImport, mine: process.env.MY_SETTING ?? null }),
})
`

it('shows functions no variable of the server but those that are named, and nothing of .env', async () => {
  await using project = await makeProject(
    { 'functions/show.ts': showFunction, '.env': 'FROM_ENV_FILE=secret\n' },
    { environment: ['MY_SETTING'] },
  )
  await using server = await startServer(project, 'serve', [], {
    DATABASE_PASSWORD: 'secret',
    ISOPLEX_LOG_LEVEL: 'warn',
    MY_SETTING: 'yes',
  })
  const { json } = await server.call('/show')
  expect(json.mine).toBe('yes')
  for (const names of [json.names, json.atImport]) {
    expect(names).toContain('PATH')
    expect(names).not.toContain('DATABASE_PASSWORD')
    expect(names).not.toContain('FROM_ENV_FILE')
    expect(names.filter((name: string) => name.startsWith('ISOPLEX_'))).toEqual([])
  }
})
