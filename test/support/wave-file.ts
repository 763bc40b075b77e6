/** The bytes of a sound file: mono, 16 bit, uncompressed (RIFF/WAVE with the format PCM). */
export function waveFile(samples: readonly number[], sampleRate = 16_000): Buffer {
  const data = Buffer.from(Int16Array.from(samples, (sample) => Math.round(sample * 32_767)).buffer)
  const format = Buffer.alloc(16)
  format.writeUInt16LE(1, 0)
  format.writeUInt16LE(1, 2)
  format.writeUInt32LE(sampleRate, 4)
  format.writeUInt32LE(2 * sampleRate, 8)
  format.writeUInt16LE(2, 12)
  format.writeUInt16LE(16, 14)
  const body = Buffer.concat([Buffer.from('WAVE'), chunk('fmt ', format), chunk('data', data)])
  return chunk('RIFF', body)
}

function chunk(name: string, content: Buffer): Buffer {
  const head = Buffer.from(`${name}0000`)
  head.writeUInt32LE(content.length, 4)
  return Buffer.concat([head, content])
}
