import { expect, it } from 'vitest'
import { bytesWithin, jsonWithin } from '../../runtime/runner/bounded-bytes.ts'

const replyOf = (...pieces: readonly number[][]): Response => {
  const body = new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(Uint8Array.from(piece))
      controller.close()
    },
  })
  return new Response(body)
}

it.each([
  ['of several pieces', replyOf([1], [2, 3]), [1, 2, 3]],
  ['just as large as may be', replyOf([1, 2, 3, 4]), [1, 2, 3, 4]],
  ['without a body', new Response(null), []],
])('reads a reply %s', async (_, reply, bytes) => {
  expect(await bytesWithin(reply, 4)).toEqual(Uint8Array.from(bytes))
})

it('does not read a larger one to its end', async () => {
  let left = false
  const endless = new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(3)),
    cancel: () => {
      left = true
    },
  })
  expect(await bytesWithin(new Response(endless), 4)).toBeNull()
  expect(left).toBe(true)
})

it.each([
  ['a value', '[1]', [1]],
  ['no JSON', '[1', undefined],
  ['too much', '[1, 2]', undefined],
  ['nothing', null, undefined],
])('reads JSON: %s', async (_, text, value) => {
  expect(await jsonWithin(new Response(text), 4)).toEqual(value)
})
