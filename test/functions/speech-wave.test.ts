import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readWave } from '../../functions/_speech/wave.ts'
import { waveFile } from '../support/wave-file.ts'

describe('readWave', () => {
  it('gives 16 bit samples at 16 kHz as they are', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -32_768, max: 32_767 }), { minLength: 1 }), (values) => {
        const data = Buffer.from(Int16Array.from(values).buffer)
        const samples = readWave(wave({ data }), 'a.wav')
        expect([...samples].map((sample) => sample * 32_768)).toEqual(values.map((value) => value))
      }),
    )
  })

  it.each([
    [1, 8, Buffer.from([0, 64, 128, 192]), [-1, -0.5, 0, 0.5]],
    [1, 16, Buffer.from(Int16Array.of(-32_768, 16_384).buffer), [-1, 0.5]],
    [1, 24, Buffer.from([0, 0, 0x80, 0, 0, 0x40, 0xff, 0xff, 0xff]), [-1, 0.5, -1 / 8_388_608]],
    [1, 32, Buffer.from(Int32Array.of(-(2 ** 31), 2 ** 30).buffer), [-1, 0.5]],
    [3, 32, Buffer.from(Float32Array.of(0.25, 2, -2, Number.NaN).buffer), [0.25, 1, -1, 0]],
  ])('reads samples of format %d with %d bits', (code, bits, data, expected) => {
    expect([...readWave(wave({ code, bits, data }), 'a.wav')]).toEqual(expected)
  })

  it('averages channels', () => {
    const data = Buffer.from(Float32Array.of(1, 0, 0.5, -0.5).buffer)
    expect([...readWave(wave({ code: 3, bits: 32, channels: 2, data }), 'a.wav')]).toEqual([0.5, 0])
  })

  it('brings other rates to 16 kHz', () => {
    const data = Buffer.from(Float32Array.of(0, 0.5, 1, 0).buffer)
    const slow = wave({ code: 3, bits: 32, rate: 8_000, data })
    expect([...readWave(slow, 'a.wav')]).toEqual([0, 0.25, 0.5, 0.75, 1, 0.5, 0, 0])
    const quick = wave({ code: 3, bits: 32, rate: 32_000, data })
    expect([...readWave(quick, 'a.wav')]).toEqual([0, 1])
  })

  it('finds its chunks among others', () => {
    const bytes = waveFile([0.5, -0.5])
    const other = Buffer.from('LIST\x03\0\0\0abc\0', 'latin1')
    const with_ = new Uint8Array(Buffer.concat([bytes.subarray(0, 12), other, bytes.subarray(12), other]))
    expect(readWave(with_, 'a.wav')).toEqual(readWave(new Uint8Array(bytes), 'a.wav'))
  })

  it.each([
    ['nothing', new Uint8Array(), 'is no WAV file'],
    ['a text', new Uint8Array(Buffer.from('RIFF, WAVE and other words')), 'is no WAV file'],
    ['a file without a format', cut(20), 'does not say how its sound is stored'],
    ['a file without samples', wave({ data: Buffer.alloc(0) }), 'has no sound'],
    ['a file that is cut off', cut(46), 'has no sound'],
    ['packed samples', wave({ code: 85 }), 'has sound of a kind that is not taken'],
    ['no channels', wave({ channels: 0 }), 'has sound of a kind that is not taken'],
    ['too many channels', wave({ channels: 9 }), 'has sound of a kind that is not taken'],
    ['a rate of nothing', wave({ rate: 0 }), 'has sound of a kind that is not taken'],
    ['too high a rate', wave({ rate: 400_000 }), 'has sound of a kind that is not taken'],
    ['bits that are not whole bytes', wave({ bits: 12 }), 'has sound of a kind that is not taken'],
    [
      'too long a sound',
      wave({ bits: 8, rate: 8_000, data: Buffer.alloc(8_000 * 1_801) }),
      'is longer than 30 minutes',
    ],
  ])('refuses %s', (_, bytes, reason) => {
    expect(() => readWave(bytes, 'a.wav')).toThrow(
      expect.objectContaining({
        code: 'INPUT_INVALID',
        message: expect.stringContaining(`"a.wav" ${reason}`),
      }),
    )
  })
})

interface WaveDraft {
  readonly code?: number
  readonly bits?: number
  readonly channels?: number
  readonly rate?: number
  readonly data?: Buffer
}

/** The bytes of a WAV file whose header says what the draft says. */
function wave({
  code = 1,
  bits = 16,
  channels = 1,
  rate = 16_000,
  data,
}: WaveDraft): Uint8Array<ArrayBuffer> {
  const bytes = waveFile([])
  bytes.writeUInt16LE(code, 20)
  bytes.writeUInt16LE(channels, 22)
  bytes.writeUInt32LE(rate, 24)
  bytes.writeUInt16LE(bits, 34)
  const samples = data ?? Buffer.alloc(8)
  bytes.writeUInt32LE(samples.length, 40)
  return new Uint8Array(Buffer.concat([bytes, samples]))
}

function cut(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(waveFile([0.1, 0.2, 0.3])).slice(0, length)
}
