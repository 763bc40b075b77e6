import { describe, expect, it } from 'vitest'
import { Audience } from '../../../runtime/server/job/audience.ts'

describe('an audience', () => {
  it('is there until the first reason to leave', () => {
    const [client, server] = [new AbortController(), new AbortController()]
    const audience = new Audience([client.signal, server.signal])
    expect(audience.signal.aborted).toBe(false)
    server.abort()
    expect(audience.signal.aborted).toBe(true)
  })

  it('is not there where there is such a reason already', () => {
    expect(new Audience([new AbortController().signal, AbortSignal.abort()]).signal.aborted).toBe(true)
  })

  it('leaves when it is disposed of, and is not kept by what lives on', () => {
    let listeners = 0
    const lasting = Object.assign(new AbortController().signal, {
      addEventListener() {
        listeners += 1
      },
      removeEventListener() {
        listeners -= 1
      },
    })
    const audience = new Audience([lasting])
    expect(listeners).toBe(1)
    audience[Symbol.dispose]()
    expect(audience.signal.aborted).toBe(true)
    expect(listeners).toBe(0)
  })
})
