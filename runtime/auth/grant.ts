import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto'
import { decodeBase64url } from './base64url.ts'
import type { ProjectKeys } from './project-key.ts'

/** Makes and checks grants: texts that let whoever holds one download one artifact for a while. */
export interface ArtifactGrants {
  /**
   * A grant for the artifact of a digest until a time, in milliseconds since 1970. It may stand in a URL as it is,
   * and says nothing but its end.
   *
   * @throws {TypeError} where the time is no positive safe integer.
   */
  make(digest: string, expiresAtMs: number): string
  /** Whether a text is a grant for this artifact that has not ended. How wrong it is does not show in the time. */
  check(digest: string, text: string, nowMs: number): boolean
}

const form = /^([1-9]\d{0,15})\.([\w-]{43})$/

/** Makes grants with the first of these keys; grants of all of them are good. */
export function createArtifactGrants(keys: ProjectKeys): ArtifactGrants {
  return Object.freeze({
    make: (digest: string, expiresAtMs: number) => {
      if (!Number.isSafeInteger(expiresAtMs) || expiresAtMs < 1) {
        throw new TypeError(`"expiresAtMs" must be a positive integer; got ${expiresAtMs}.`)
      }
      const mac = sign(keys[0].grants, digest, String(expiresAtMs))
      return `${expiresAtMs}.${mac.toString('base64url')}`
    },
    check: (digest: string, text: string, nowMs: number) => {
      const [, expiry = '', encoded = ''] = form.exec(text) ?? []
      const mac = decodeBase64url(encoded)
      if (mac === null || mac.length === 0 || !(nowMs < Number(expiry))) return false
      return keys.some(
        ({ grants, untilMs }) => nowMs < untilMs && timingSafeEqual(mac, sign(grants, digest, expiry)),
      )
    },
  })
}

function sign(key: KeyObject, digest: string, expiry: string): Buffer {
  return createHmac('sha256', key).update(`${expiry}\n${digest}`).digest()
}
