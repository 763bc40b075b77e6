import { statSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ControlServer, openControlServer } from '../../runtime/server/control-server.ts'
import { createScratch, type Scratch } from '../model/scratch.ts'
import { surround } from './served.ts'

let scratch: Scratch
let server: ControlServer
beforeEach(async () => {
  scratch = await createScratch()
  server = openControlServer({
    socketPath: scratch.path('control.sock'),
    routes: [
      { path: '/-/things/:id', handlers: { GET: async ({ parameters }) => Response.json(parameters) } },
    ],
    log: surround().exchange.log,
  })
})
afterEach(async () => {
  await server[Symbol.asyncDispose]()
  await scratch[Symbol.asyncDispose]()
})

const ask = (path: string, method = 'GET'): Promise<Response> =>
  fetch(`http://localhost${path}`, { unix: server.socketPath, method })

describe('the control server', () => {
  it('is its user’s alone', () => {
    expect(statSync(server.socketPath).mode & 0o777).toBe(0o600)
  })

  it('answers its routes, and problems elsewhere', async () => {
    expect(await (await ask('/-/things/1')).json()).toEqual(['1'])
    expect(await (await ask('/-/things/1', 'POST')).json()).toMatchObject({ code: 'METHOD_NOT_ALLOWED' })
    expect(await (await ask('/elsewhere')).json()).toMatchObject({ code: 'ROUTE_NOT_FOUND' })
  })

  it('answers nobody when it is closed', async () => {
    await server[Symbol.asyncDispose]()
    await expect(ask('/-/things/1')).rejects.toThrow()
  })
})
