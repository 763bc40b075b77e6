import { statSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  readControlPointers,
  removeControlPointer,
  writeControlPointer,
} from '../../runtime/config/control-pointer.ts'
import { createScratch, type Scratch } from '../model/scratch.ts'

let scratch: Scratch
let deadPid: number
beforeEach(async () => {
  scratch = await createScratch()
  const child = Bun.spawn(['true'])
  await child.exited
  deadPid = child.pid
})
afterEach(() => scratch[Symbol.asyncDispose]())

const pointer = { socketPath: '/tmp/a.sock', pid: process.pid, startedAt: 5 }

describe('a pointer to a control socket', () => {
  it('is found until it is taken back, and is its user’s alone', async () => {
    await writeControlPointer(scratch.directory, pointer)
    expect(await readControlPointers(scratch.directory)).toEqual([pointer])
    expect(statSync(scratch.path('control', `${process.pid}.json`)).mode & 0o777).toBe(0o600)
    expect(statSync(scratch.path('control')).mode & 0o777).toBe(0o700)
    await removeControlPointer(scratch.directory, process.pid)
    expect(await readControlPointers(scratch.directory)).toEqual([])
  })

  it('of a dead process is passed over, and swept by the next one', async () => {
    await scratch.write(`control/${deadPid}.json`, JSON.stringify({ ...pointer, pid: deadPid }))
    expect(await readControlPointers(scratch.directory)).toEqual([])
    await writeControlPointer(scratch.directory, pointer)
    expect(await scratch.list('control')).toEqual([`${process.pid}.json`])
  })

  it('of the process started last comes first', async () => {
    await scratch.write(
      `control/${process.ppid}.json`,
      JSON.stringify({ ...pointer, pid: process.ppid, startedAt: 9 }),
    )
    await writeControlPointer(scratch.directory, pointer)
    expect((await readControlPointers(scratch.directory)).map(({ startedAt }) => startedAt)).toEqual([9, 5])
  })

  it.each(['', '{', 'null', '[]', '{"socketPath":1,"pid":2,"startedAt":3}', `{"pid":${process.pid}}`])(
    'that says %j says nothing',
    async (text) => {
      await scratch.write(`control/${process.pid}.json`, text)
      expect(await readControlPointers(scratch.directory)).toEqual([])
    },
  )

  it('is not there where nobody was', async () => {
    expect(await readControlPointers(scratch.path('nowhere'))).toEqual([])
  })
})
