import { mkdir } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { readControlPointers } from '../../runtime/config/control-pointer.ts'
import { openControl } from '../../runtime/entry/control.ts'
import { createScratch } from '../model/scratch.ts'
import { surround } from '../server/served.ts'

describe('openControl', () => {
  it('is found by the state directory while it is open', async () => {
    await using scratch = await createScratch()
    await mkdir(scratch.path('run'))
    const stateDirectory = scratch.path('state')
    const options = { stateDirectory, runDirectory: scratch.path('run'), log: surround().exchange.log }
    const routes = [{ path: '/-/here', handlers: { GET: async () => new Response('yes') } }]
    const control = await openControl({ ...options, routes })
    const [pointer] = await readControlPointers(stateDirectory)
    expect(pointer).toMatchObject({ socketPath: control.socketPath, pid: process.pid })
    expect(await (await fetch('http://localhost/-/here', { unix: control.socketPath })).text()).toBe('yes')
    await control[Symbol.asyncDispose]()
    expect(await readControlPointers(stateDirectory)).toEqual([])
  })

  it('does not stay open where it cannot be pointed to', async () => {
    await using scratch = await createScratch()
    const stateDirectory = await scratch.write('file', '')
    const options = {
      stateDirectory,
      runDirectory: scratch.directory,
      routes: [],
      log: surround().exchange.log,
    }
    await expect(openControl(options)).rejects.toMatchObject({ code: 'ENOTDIR' })
    await expect(fetch('http://localhost/', { unix: scratch.path('control.sock') })).rejects.toThrow()
  })
})
