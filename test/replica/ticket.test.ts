import { expect, it } from 'vitest'
import type { Answer } from '../../runtime/replica/ticket.ts'
import { ticketAt } from './work.ts'

const answer: Answer = { status: 200, headers: [], body: new Uint8Array() }

it('gives its caller the answer', () => {
  const { ticket, answers, errors } = ticketAt(0)
  expect(ticket.settled).toBe(false)
  ticket.answer(answer)
  expect(ticket.settled).toBe(true)
  expect([answers, errors]).toEqual([[answer], []])
})

it('settles once: what comes after is for nobody', () => {
  const first = ticketAt(0)
  first.ticket.answer(answer)
  first.ticket.answer({ ...answer, status: 500 })
  first.ticket.fail(new Error('too late'))
  expect([first.answers, first.errors]).toEqual([[answer], []])

  const second = ticketAt(0)
  const error = new Error('first')
  second.ticket.fail(error)
  second.ticket.answer(answer)
  second.ticket.fail(new Error('too late'))
  expect([second.answers, second.errors]).toEqual([[], [error]])
})

it('cleans up once, before its caller hears, in the order of asking', () => {
  const { ticket, answers } = ticketAt(0)
  const notes: unknown[] = []
  ticket.onSettled(() => notes.push('one', answers.length))
  ticket.onSettled(() => notes.push('two'))
  ticket.answer(answer)
  ticket.fail(new Error('too late'))
  expect(notes).toEqual(['one', 0, 'two'])
})

it('is settled already when it cleans up, so that nobody settles it again from there', () => {
  const { ticket, answers, errors } = ticketAt(0)
  ticket.onSettled(() => ticket.fail(new Error('from within')))
  ticket.answer(answer)
  expect([answers, errors]).toEqual([[answer], []])
})
