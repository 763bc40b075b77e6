import { Unzip, UnzipInflate } from 'fflate'
import { IsoplexError } from 'isoplex'

/** A WAV file of an archive. Its name is the sender's word, and becomes no path. */
export interface PackedSound {
  readonly name: string
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** The most WAV files, the most bytes of one, and of all, once they are unpacked. */
const limits = { sounds: 200, soundBytes: 64_000_000, bytes: 640_000_000 }

/** So little is unpacked at a time that even the tightest packing is found out before it takes much memory. */
const stepBytes = 16_384

/**
 * The WAV files of a zip, one after the other. Other files are passed over.
 *
 * @throws {IsoplexError} `INPUT_INVALID` where it is no zip, is damaged, or holds more than the limits or a bad name.
 */
export function* unpackSounds(archive: Uint8Array): Generator<PackedSound> {
  const names = new Set<string>()
  const unpacked: PackedSound[] = []
  let total = 0
  const unzip = new Unzip((file) => {
    if (!isSound(file.name)) return
    assertName(file.name, names)
    const parts: Uint8Array[] = []
    let bytes = 0
    file.ondata = (error, part, final) => {
      // What is thrown below comes back as an error of the file.
      if (error instanceof IsoplexError) throw error
      if (error) throw refuse(`The file "${file.name}" of the archive is damaged.`)
      parts.push(part)
      bytes += part.length
      total += part.length
      if (bytes > limits.soundBytes)
        throw refuse(`The file "${file.name}" is larger than ${limits.soundBytes} bytes.`)
      if (total > limits.bytes) throw refuse(`The archive holds more than ${limits.bytes} bytes.`)
      if (!final) return
      unpacked.push({ name: file.name, bytes: joined(parts, bytes) })
    }
    file.start()
  })
  unzip.register(UnzipInflate)
  for (let start = 0; start < archive.length; start += stepBytes) {
    push(unzip, archive, start)
    yield* unpacked.splice(0)
  }
}

/** An error that tells whoever submitted the job what is wrong with the input. */
export function refuse(message: string): IsoplexError {
  return new IsoplexError('INPUT_INVALID', message, { details: { issues: [{ path: '/archive', message }] } })
}

function push(unzip: Unzip, archive: Uint8Array, start: number): void {
  try {
    unzip.push(archive.subarray(start, start + stepBytes), start + stepBytes >= archive.length)
  } catch (error) {
    if (error instanceof IsoplexError) throw error
    throw refuse('The archive is no zip, or is damaged.')
  }
}

function isSound(name: string): boolean {
  return /\.wav$/i.test(name) && !name.startsWith('__MACOSX/')
}

/** Names go into a table and a result: none that climbs, that a spreadsheet would compute, or that is there twice. */
function assertName(name: string, names: Set<string>): void {
  if (names.size === limits.sounds) throw refuse(`The archive holds more than ${limits.sounds} WAV files.`)
  const shown = JSON.stringify(name.slice(0, 100))
  if (name.length > 200 || /^[/=+@-]|\\|(^|\/)\.\.?(\/|$)|\p{Cc}/u.test(name)) {
    throw refuse(`The archive holds a file with the name ${shown}, which is not taken.`)
  }
  if (names.has(name)) throw refuse(`The archive holds ${shown} twice.`)
  names.add(name)
}

function joined(parts: readonly Uint8Array[], bytes: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(bytes)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
