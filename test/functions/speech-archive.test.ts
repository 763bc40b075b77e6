import fc from 'fast-check'
import { zipSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import { unpackSounds } from '../../functions/_speech/archive.ts'
import { readWave } from '../../functions/_speech/wave.ts'
import { buildArchive } from '../support/archive-builder.ts'
import { waveFile } from '../support/wave-file.ts'

const sound = new Uint8Array(waveFile([0, 0.5, -0.5]))

describe('unpackSounds', () => {
  it('gives the WAV files in their order, stored or packed, and passes over others', () => {
    const archive = zipSync({
      'a.wav': [sound, { level: 0 }],
      'notes.txt': new Uint8Array(10),
      voices: { 'b c.WAV': sound, 'ü, "x".wav': sound },
      __MACOSX: { 'a.wav': sound },
    })
    const sounds = [...unpackSounds(archive)]
    expect(sounds.map(({ name }) => name)).toEqual(['a.wav', 'voices/b c.WAV', 'voices/ü, "x".wav'])
    for (const { bytes } of sounds) expect(bytes).toEqual(sound)
  })

  it.each([
    '/a.wav',
    '../a.wav',
    'a/../b.wav',
    './a.wav',
    '..\\a.wav',
    'a\nb.wav',
    '=1+1.wav',
    '@a.wav',
    `${'x'.repeat(200)}.wav`,
  ])('refuses the name %j', (name) => {
    expect(() => [...unpackSounds(zipSync({ [name]: sound }))]).toThrow(/which is not taken/)
  })

  it('refuses one name twice', () => {
    const archive = zipSync({ 'a.wav': sound, 'b.wav': sound })
    const bytes = Buffer.from(archive)
    for (let at = bytes.indexOf('b.wav'); at !== -1; at = bytes.indexOf('b.wav')) bytes.write('a.wav', at)
    expect(() => [...unpackSounds(new Uint8Array(bytes))]).toThrow('The archive holds "a.wav" twice.')
  })

  it('refuses more files than it takes', () => {
    const files = Object.fromEntries(Array.from({ length: 201 }, (_, index) => [`${index}-.wav`, sound]))
    expect(() => [...unpackSounds(zipSync(files))]).toThrow('The archive holds more than 200 WAV files.')
  })

  it('refuses what unpacks to more than it takes, whatever sizes the archive states', () => {
    const archive = buildArchive([
      { name: 'a.wav', content: new Uint8Array(70_000_000), method: 8, sizeBytes: 1_000 },
    ])
    expect(archive.length).toBeLessThan(100_000)
    const before = process.memoryUsage().rss
    expect(() => [...unpackSounds(archive)]).toThrow('The file "a.wav" is larger than 64000000 bytes.')
    expect(process.memoryUsage().rss - before).toBeLessThan(400_000_000)
  })

  it('refuses an archive that is cut off or damaged', () => {
    const noise = new Uint8Array(waveFile(Array.from({ length: 40_000 }, (_, index) => Math.sin(index ** 2))))
    const archive = zipSync({ 'a.wav': noise })
    expect(() => [...unpackSounds(archive.slice(0, archive.length / 2))]).toThrow(/damaged/)
    const damaged = archive.slice()
    damaged.fill(0xff, 1_000, 2_000)
    expect(() => [...unpackSounds(damaged)]).toThrow(/damaged/)
  })

  it('throws nothing but refusals, whatever it is given', () => {
    const archive = zipSync({ 'a.wav': sound, 'b.wav': [sound, { level: 0 }] })
    const change = fc.tuple(fc.nat(archive.length - 1), fc.nat(255))
    fc.assert(
      fc.property(
        fc.array(change, { minLength: 1, maxLength: 8 }),
        fc.nat(archive.length),
        (changes, length) => {
          const bytes = archive.slice(0, length)
          for (const [at, value] of changes) if (at < length) bytes[at] = value
          try {
            for (const { name, bytes: unpacked } of unpackSounds(bytes)) readWave(unpacked, name)
          } catch (error) {
            expect(error).toMatchObject({ code: 'INPUT_INVALID' })
          }
        },
      ),
      { numRuns: 500 },
    )
  })
})
