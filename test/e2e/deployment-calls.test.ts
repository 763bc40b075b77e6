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
const graph = `
import { Type } from '@sinclair/typebox'
import { bind, defineFunction, defineGraph } from 'isoplex'
import greet from './greet.ts'
const here = defineFunction({ handler: () => process.pid })
export default defineGraph({
  access: 'public',
  answer: { greeted: bind(greet, { name: 'Ada' }), pid: bind(here, undefined) },
})
`
const files = {
  'functions/greet.ts': greeter,
  'functions/call.ts': caller,
  'functions/drawn.ts': graph,
}

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
    const drawn = (await server.call('/drawn')).json
    expect(drawn).toMatchObject({ greeted: { text: 'Hi, Ada', deployment: 'greet' } })
    expect(drawn.greeted.pid).not.toBe(drawn.pid)
  })

  it('no longer runs a function beside its caller once that is given replicas, and again once it has none', async () => {
    await using project = await makeProject(files, { replicas: 1 })
    await using server = await startServer(project, 'serve')
    const isBeside = async () => {
      const called = (await server.call('/call', { json: {} })).json
      const drawn = (await server.call('/drawn')).json
      return [called.beside, drawn.greeted.pid === drawn.pid]
    }
    expect(await isBeside()).toEqual([true, true])
    expect(await project.run('redeploy', 'greet', '--replicas', '1')).toMatchObject({ code: 0 })
    expect(await isBeside()).toEqual([false, false])
    expect(await project.run('redeploy', 'greet', '--replicas', 'shared')).toMatchObject({ code: 0 })
    expect(await isBeside()).toEqual([true, true])
  })
})
