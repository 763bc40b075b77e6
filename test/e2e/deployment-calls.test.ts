import { describe, expect, it } from 'vitest'
import { makeProject, startServer } from '../support/server.ts'

const greeter = `
import { Type } from '@sinclair/typebox'
import { defineFunction } from 'isoplex'
export default defineFunction({
  access: 'public',
  input: Type.Object({ name: Type.String() }),
  setup: ({ deployment, options }) => ({ deployment, greeting: options.greeting ?? 'Hello' }),
  handler: ({ input, state }) => ({
    text: state.greeting + ', ' + input.name, deployment: state.deployment, pid: process.pid,
  }),
})
`
const caller = `
import { Type } from '@sinclair/typebox'
import { defineFunction } from 'isoplex'
import greet from './greet.ts'
export default defineFunction({
  access: 'public',
  input: Type.Object({ deployment: Type.Optional(Type.String()) }),
  handler: async ({ input, handle }) => {
    const answer = await handle(greet, input).infer({ name: 'Ada' })
    return { ...answer, beside: answer.pid === process.pid }
  },
})
`
const files = { 'functions/greet.ts': greeter, 'functions/call.ts': caller }

describe('a handle', () => {
  it('asks the deployment that is named, wherever it runs', async () => {
    const deployments = [
      { name: 'polite', function: 'greet', options: { greeting: 'Good day' } },
      { name: 'rude', function: 'greet', replicas: { min: 0, max: 1 }, options: { greeting: 'Oi' } },
    ]
    await using project = await makeProject(files, { replicas: 1, deployments })
    await using server = await startServer(project, 'serve')
    const ask = async (json: object) => (await server.call('/call', { json })).json
    expect(await ask({})).toMatchObject({ text: 'Hello, Ada', beside: true })
    expect(await ask({ deployment: 'polite' })).toMatchObject({ text: 'Good day, Ada', deployment: 'polite' })
    expect(await ask({ deployment: 'rude' })).toMatchObject({ text: 'Oi, Ada', beside: false })
    expect(await ask({ deployment: 'greet' })).toMatchObject({ text: 'Hello, Ada', deployment: 'greet' })
    const nobody = await server.call('/call', { json: { deployment: 'nobody' } })
    expect(nobody.text).toContain('DEPLOYMENT_NOT_FOUND')
  })

  it('finds the options and replicas that a function’s own deployment has', async () => {
    const deployments = [{ name: 'greet', function: 'greet', replicas: 1, options: { greeting: 'Hi' } }]
    await using project = await makeProject(files, { replicas: 1, deployments })
    await using server = await startServer(project, 'serve')
    const { json } = await server.call('/call', { json: {} })
    expect(json).toMatchObject({ text: 'Hi, Ada', deployment: 'greet', beside: false })
  })
})
