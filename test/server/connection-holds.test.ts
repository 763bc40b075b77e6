import { expect, it } from 'vitest'
import { ConnectionHolds } from '../../runtime/server/connection-holds.ts'
import { until } from '../support/server.ts'

function openHolds(afterMs: number) {
  const told: string[] = []
  const connections = { hold: () => told.push('held'), release: () => told.push('released') }
  return { told, holds: new ConnectionHolds(connections, afterMs), request: new Request('http://localhost/') }
}

it('does nothing for a request that is answered soon', async () => {
  const { told, holds, request } = openHolds(60_000)
  const hold = holds.wait(request)
  holds.end(hold)
  expect(told).toEqual([])
})

it('holds the connection of a request that waits long, until it is answered', async () => {
  const { told, holds, request } = openHolds(10)
  const hold = holds.wait(request)
  await until(() => told.length === 1)
  holds.end(hold)
  expect(told).toEqual(['held', 'released'])
})

it('holds the connection of a stream at once, and only once, until its end', async () => {
  const { told, holds, request } = openHolds(60_000)
  const hold = holds.wait(request)
  holds.stream(hold)
  holds.stream(hold)
  expect(told).toEqual(['held'])
  holds.end(hold)
  expect(told).toEqual(['held', 'released'])
})
