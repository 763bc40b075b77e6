import { describe, expect, it } from 'vitest'
import { nodeStates, startNode, startNodeGateway } from '../support/nodes.ts'
import { makeProject, until } from '../support/server.ts'
import { startLoad } from './crash-project.ts'

describe('versions of what nodes serve', { timeout: 60_000 }, () => {
  const version = (text: string): string => `
import { defineFunction } from 'isoplex'
export default defineFunction({ access: 'public', handler: () => '${text}' })
`

  it('go live when no node serves the one before any more, without a lost request', async () => {
    await using old = await makeProject({ 'functions/name.ts': version('old') })
    await using fresh = await makeProject({ 'functions/name.ts': version('fresh') })
    await using one = await startNode(old)
    await using other = await startNode(old)
    await using server = await startNodeGateway(old, [one.address, other.address])
    const seen = new Set<string>()
    const load = startLoad(4, async () => {
      const reply = await server.call('/name')
      seen.add(reply.json)
      return reply
    })
    await until(() => load.answered > 20)
    await one.server.end('SIGTERM')
    await using replaced = await startNode(fresh, ['--node-address', one.address])
    await until(async () => (await nodeStates(server)).join() === 'up,up')
    expect([...seen]).toEqual(['old'])
    await other.server.end('SIGTERM')
    await until(() => seen.has('fresh') || load.failures.length > 0)
    await load.stop()
    expect(load.failures).toEqual([])
    expect((await server.call('/name')).json).toBe('fresh')
    expect(replaced.address).toBe(one.address)
  })

  it('are waited for: without a node a request is refused once its time is up', async () => {
    await using empty = await makeProject({}, { requestTimeoutMs: 300 })
    await using node = await startNode(empty)
    const gone = node.address
    await node.server.end('SIGTERM')
    await using server = await startNodeGateway(empty, [gone])
    const reply = await server.call('/name')
    expect(reply).toMatchObject({ status: 503, json: { code: 'REPLICAS_MISSING' } })
    expect((await server.call('/readyz')).status).toBe(503)
  })
})
