import { describe, expect, it } from 'vitest'
import type { Attempt } from '../../runtime/build/build-process.ts'
import { Ledger } from '../../runtime/build/ledger.ts'
import { placeOf } from '../../runtime/build/mistake.ts'
import { sampleFunction } from './manifest-samples.ts'

const files = ['a', 'b'].map((name) => ({ functionFile: `${name}.ts`, file: `functions/${name}.ts` }))
const [a, b] = files as [(typeof files)[number], (typeof files)[number]]
const mistake = { place: placeOf(a.file), reason: 'broke' }

/** A ledger over files whose content stands for their hash. */
function setUp(content: Record<string, string>) {
  const ledger = new Ledger()
  let round = 0
  return {
    ledger,
    content,
    async plan(present = files) {
      round += 1
      const planned = await ledger.plan(present, round, async (file) => content[file] ?? null)
      return planned.map(({ file }) => file)
    },
    described(name: string, ...helpers: readonly string[]): Attempt {
      const names = [`functions/${name}.ts`, ...helpers]
      const sources = Object.fromEntries(names.map((file) => [file, content[file] ?? null]))
      return { kind: 'described', manifest: sampleFunction(name), sources }
    },
  }
}

describe('a ledger', () => {
  it('plans what it does not know, and nothing once all is noted', async () => {
    const { ledger, plan, described } = setUp({ [a.file]: '1', [b.file]: '1' })
    expect(await plan()).toEqual([a.file, b.file])
    ledger.note(a, described('a'))
    expect(await plan()).toEqual([b.file])
    ledger.note(b, described('b'))
    expect(await plan()).toEqual([])
  })

  it('plans a function for a change of any of its sources, and of no other file', async () => {
    const { ledger, content, plan, described } = setUp({ [a.file]: '1', [b.file]: '1', 'lib/help.ts': '1' })
    await plan()
    ledger.note(a, described('a', 'lib/help.ts'))
    ledger.note(b, described('b'))
    content['lib/help.ts'] = '2'
    content['lib/other.ts'] = '2'
    expect(await plan()).toEqual([a.file])
  })

  it('plans every function where the settings of the project change', async () => {
    const { ledger, content, plan, described } = setUp({ [a.file]: '1', [b.file]: '1' })
    await plan()
    ledger.note(a, described('a'))
    ledger.note(b, described('b'))
    content['tsconfig.json'] = '{}'
    expect(await plan()).toEqual([a.file, b.file])
  })

  it('plans a file again that changed between the plan and the end of its process', async () => {
    const { ledger, content, plan } = setUp({ [a.file]: '1' })
    await plan([a])
    content[a.file] = '2'
    ledger.note(a, { kind: 'ended', mistake, sources: null })
    expect(await plan([a])).toEqual([a.file])
    ledger.note(a, { kind: 'ended', mistake, sources: null })
    expect(await plan([a])).toEqual([])
  })

  it('plans what ended its process early for a change of the helpers that it had before', async () => {
    const { ledger, content, plan, described } = setUp({ [a.file]: '1', 'lib/help.ts': '1' })
    await plan([a])
    ledger.note(a, described('a', 'lib/help.ts'))
    content[a.file] = '2'
    await plan([a])
    ledger.note(a, { kind: 'ended', mistake, sources: null })
    expect(await plan([a])).toEqual([])
    content['lib/help.ts'] = '2'
    expect(await plan([a])).toEqual([a.file])
  })

  it('plans what may mend by itself once a round, and what has ended its process not again', async () => {
    const { ledger, plan } = setUp({ [a.file]: '1', [b.file]: '1' })
    await plan()
    ledger.note(a, { kind: 'broken', mistake, again: true, sources: { [a.file]: '1' } })
    ledger.note(b, { kind: 'ended', mistake, sources: { [b.file]: '1' } })
    expect(await plan()).toEqual([a.file])
  })

  it('keeps the last good manifest of what breaks, and the same object where it comes out alike', async () => {
    const { ledger, plan, described } = setUp({ [a.file]: '1' })
    await plan([a])
    ledger.note(a, described('a'))
    const good = ledger.entries[0]?.good
    expect(good).toEqual(sampleFunction('a'))
    ledger.note(a, { kind: 'broken', mistake, again: false, sources: { [a.file]: '2' } })
    expect(ledger.entries[0]).toMatchObject({ good, mistake })
    ledger.note(a, described('a'))
    expect(ledger.entries[0]).toMatchObject({ mistake: null })
    expect(ledger.entries[0]?.good).toBe(good)
  })

  it('forgets files that are gone, and names the sources of the others', async () => {
    const { ledger, plan, described } = setUp({ [a.file]: '1', [b.file]: '1' })
    await plan()
    ledger.note(a, described('a', 'lib/help.ts'))
    ledger.note(b, described('b'))
    await plan([b])
    expect(ledger.entries.map(({ file }) => file)).toEqual([b.file])
    expect([...ledger.sources.keys()].toSorted()).toEqual([b.file, 'package.json', 'tsconfig.json'])
  })
})
