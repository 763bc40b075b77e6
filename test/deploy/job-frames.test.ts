import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createProjectKey } from '../../runtime/auth/project-key.ts'
import { type JobFrame, JobFrameReader, JobFrameWriter } from '../../runtime/deploy/job-frames.ts'

const keys = [await createProjectKey(new Uint8Array(32).fill(1))] as const
const others = [await createProjectKey(new Uint8Array(32).fill(2))] as const

const readAll = (log: string, nonce = 'job'): readonly JobFrame[] => [
  ...new JobFrameReader(keys, nonce).read(log),
]

describe('the frames of a log', () => {
  it('are found wherever the log is cut, among all that the job prints', () => {
    const frame = fc.tuple(fc.string(), fc.jsonValue(), fc.uint8Array())
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string(), frame)), fc.array(fc.nat(50)), (entries, cuts) => {
        const writer = new JobFrameWriter(keys, 'job')
        let log = entries
          .map(([noise, [kind, data, bytes]]) => noise + writer.line(kind, data, bytes))
          .join('')
        const reader = new JobFrameReader(keys, 'job')
        const found: JobFrame[] = []
        for (const cut of cuts) {
          found.push(...reader.read(log.slice(0, cut)))
          log = log.slice(cut)
        }
        found.push(...reader.read(log))
        const expected = entries.map(([, [kind, data, bytes]]) => {
          return { kind, data: JSON.parse(JSON.stringify(data)), bytes: Uint8Array.from(bytes) }
        })
        expect(found).toEqual(expected)
      }),
    )
  })

  it('are not made by whoever lacks the key, alters one, repeats one, or has another job', () => {
    const writer = new JobFrameWriter(keys, 'job')
    const [first, second] = [writer.line('event', { a: 1 }), writer.line('end', { ok: true })]
    expect(readAll(new JobFrameWriter(others, 'job').line('event', { a: 1 }))).toEqual([])
    expect(readAll(first.replace('"a":1', '"a":2'))).toEqual([])
    expect(readAll(first.replace('event', 'other'))).toEqual([])
    expect(readAll(first + first + second).map(({ kind }) => kind)).toEqual(['event', 'end'])
    expect(readAll(second)).toEqual([])
    expect(readAll(first, 'another job')).toEqual([])
    expect(readAll('{"isoplex":0}\n{"isoplex":nonsense\nnull\n[]\n')).toEqual([])
  })

  it('show what they tell, and none of their bytes', () => {
    const line = new JobFrameWriter(keys, 'job').line('file', { name: 'a' }, Buffer.from('the content'))
    expect(JSON.parse(line)).toMatchObject({ isoplex: 0, kind: 'file', data: { name: 'a' } })
    expect(line + Buffer.from(JSON.parse(line).seal, 'base64').toString('latin1')).not.toContain('content')
  })
})
