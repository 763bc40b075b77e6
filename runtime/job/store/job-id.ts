import { randomBytes } from 'node:crypto'

// Crockford's base 32: no I, L, O, U.
const digits = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const timeDigits = 11
const randomDigits = 15
const form = new RegExp(`^job_[${digits}]{${timeDigits + randomDigits}}$`)

/** Whether a text has the form of a job's id. */
export function isJobId(text: string): boolean {
  return form.test(text)
}

/**
 * Makes ids of jobs: 55 bits of microseconds since 1970, then 75 random ones. Those of one maker sort as they were
 * made, also within a millisecond and where the clock is set back.
 */
export function createJobIdMaker(): (nowMs: number) => string {
  let lastMicroseconds = 0
  return (nowMs) => {
    lastMicroseconds = Math.max(nowMs * 1000, lastMicroseconds + 1)
    return `job_${toDigits(lastMicroseconds)}${randomText()}`
  }
}

function toDigits(value: number): string {
  let text = ''
  for (let rest = value; text.length < timeDigits; rest = Math.floor(rest / 32)) {
    text = digits.charAt(rest % 32) + text
  }
  return text
}

function randomText(): string {
  // 256 is a multiple of 32, so that no digit is likelier than others.
  return Array.from(randomBytes(randomDigits), (byte) => digits.charAt(byte % 32)).join('')
}
