/** The longest that a reply is kept waiting for the end of a job, in seconds. */
export const longestWaitSeconds = 60

/** Longer ones are no wishes of anybody's. */
const longestHeader = 1_024

/**
 * Reads the preference `wait` of the header `Prefer` (RFC 7240, section 4.3): how long the client would wait for the
 * end of a job, in seconds, at most {@link longestWaitSeconds}. `null` where nothing of the kind is preferred: what
 * is not understood is passed over, as the RFC has it.
 */
export function readWait(headers: Headers): number | null {
  const header = headers.get('prefer')
  if (header === null || header.length > longestHeader) return null
  // Commas within quotes part nothing.
  for (const [preference] of header.matchAll(/(?:"(?:[^"\\]|\\.)*"|[^",])+/g)) {
    const [, , seconds] = /^\s*wait\s*=\s*("?)(\d{1,9})\1\s*(?:;|$)/i.exec(preference) ?? []
    if (seconds !== undefined) return Math.min(Number(seconds), longestWaitSeconds)
  }
  return null
}
