import { beforeEach, expect, it } from 'vitest'
import { IsoplexError } from '../../../runtime/error/error.ts'
import { toWire } from '../../../runtime/error/wire.ts'
import type { ActionReport } from '../../../runtime/job/message.ts'
import { createHostLink, type HostLink } from '../../../runtime/job/run/host-link.ts'

let sent: ActionReport[]
let link: HostLink

beforeEach(() => {
  sent = []
  link = createHostLink((report) => sent.push(report))
})

it('asks by message, and takes answers in any order', async () => {
  const first = link.host.beginStep('one')
  const second = link.host.fetchFile('a.csv', '/tmp/a')
  expect(sent).toEqual([
    { kind: 'ask', id: 1, question: 'beginStep', parameters: ['one'] },
    { kind: 'ask', id: 2, question: 'fetchFile', parameters: ['a.csv', '/tmp/a'] },
  ])
  link.receive({ kind: 'answer', id: 2, value: undefined })
  link.receive({ kind: 'answer', id: 1, value: { name: 'one', attempt: 2 } })
  expect(await second).toBeUndefined()
  expect(await first).toEqual({ name: 'one', attempt: 2 })
})

it('rejects with the error that the other side sends', async () => {
  const saving = link.host.saveCheckpoint({})
  const error = new IsoplexError('LEASE_LOST', 'Another server goes on with it.')
  link.receive({ kind: 'refuse', id: 1, error: toWire(error) })
  await expect(saving).rejects.toMatchObject({ code: 'LEASE_LOST', message: error.message })
})

it('passes over answers to what nobody asked', () => {
  link.receive({ kind: 'answer', id: 7, value: 1 })
  link.receive({ kind: 'refuse', id: 8, error: { code: 'INTERNAL', message: '' } })
  expect(sent).toEqual([])
})
