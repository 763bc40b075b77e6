import { type OutboundResponse, request } from '../network/outbound.ts'
import type { OutboundPolicy } from '../network/policy.ts'
import { brokenArtifact, cutOff, PassingFailure, statusFailure, toPassing } from './download-failure.ts'
import type { PartialFile } from './partial-file.ts'
import {
  conditionOf,
  contentLengthOf,
  contentRangeOf,
  rangeValidatorOf,
  type Validators,
  validatorsOf,
} from './reply-range.ts'

/** Where bytes are, for one try. */
export interface DownloadTarget {
  readonly url: string
  readonly policy: OutboundPolicy
}

/** How patient downloads are. */
export interface DownloadPatience {
  /** Tries that fail before a download is given up; one that brought a megabyte does not count. @default 5 */
  readonly tries: number
  /** The wait after the first failure, in milliseconds; it doubles with each. @default 250 */
  readonly retryDelayMs: number
  /** Time in which a server must begin to answer. @default 30000 */
  readonly timeoutMs: number
  /** Time in which more bytes must come. @default 30000 */
  readonly idleTimeoutMs: number
}

/** How patient downloads are where nobody says otherwise. */
export const downloadPatience: DownloadPatience = Object.freeze({
  tries: 5,
  retryDelayMs: 250,
  timeoutMs: 30_000,
  idleTimeoutMs: 30_000,
})

/** A download as it is asked for. */
export interface Download {
  readonly partial: PartialFile
  /** Says where the bytes are, anew before each try: a link may be signed for a short time only. */
  locate(): DownloadTarget
  /** By what the server knows what is here already; `null` where nothing is. */
  readonly known: Validators | null
  readonly maxBytes: number
  readonly patience: DownloadPatience
  /** Hears how far it has come. */
  tell(doneBytes: number, totalBytes: number | null): void
}

/** How a download ended: what is here is still the same, or the partial file is whole. */
export type DownloadResult =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'whole'; readonly validators: Validators }

const progressBytes = 1_048_576
const longestDelayMs = 8_000

/**
 * Downloads into a partial file, continuing what is there where the server still has the same. Failures that may
 * pass are tried again, each after a longer wait.
 *
 * @throws {IsoplexError} `URL_REFUSED`, `FETCH_FAILED`, `ARTIFACT_BROKEN` with the reason `not-found` or `too-large`.
 */
export async function download(job: Download): Promise<DownloadResult> {
  for (let failures = 1; ; failures += 1) {
    const beforeBytes = job.partial.sizeBytes
    try {
      return await attempt(job)
    } catch (error) {
      if (!(error instanceof PassingFailure)) throw error
      if (job.partial.sizeBytes - beforeBytes >= progressBytes) failures = 1
      if (failures >= job.patience.tries) throw error.reason
      await Bun.sleep(Math.max(error.waitMs, delayMs(job.patience.retryDelayMs, failures)))
    }
  }
}

/** Grows from failure to failure, and is never the same for two that failed together. */
function delayMs(firstMs: number, failures: number): number {
  return Math.min(longestDelayMs, firstMs * 2 ** (failures - 1)) * (0.5 + Math.random() / 2)
}

async function attempt(job: Download): Promise<DownloadResult> {
  const { partial, patience } = job
  const { url, policy } = job.locate()
  const { timeoutMs, idleTimeoutMs } = patience
  const headers = headersOf(job)
  try {
    const reply = await request({ url, policy, headers, timeoutMs, idleTimeoutMs })
    try {
      return await receive(reply, job)
    } finally {
      reply.cancel()
    }
  } catch (error) {
    throw toPassing(error)
  } finally {
    await partial.sync()
  }
}

/** Asks for the rest of what is there; else only for what is not known yet. */
function headersOf({ partial, known }: Download): Readonly<Record<string, string>> {
  const { source } = partial
  if (source === null) return known === null ? {} : conditionOf(known)
  return { range: `bytes=${firstByteOf(partial)}-`, 'if-range': source.validator }
}

/** Where to go on. Of what is whole already the last byte is asked for, for there is no range of nothing. */
function firstByteOf({ sizeBytes, source }: PartialFile): number {
  return source?.totalBytes === sizeBytes ? sizeBytes - 1 : sizeBytes
}

async function receive(reply: OutboundResponse, job: Download): Promise<DownloadResult> {
  const { partial, known } = job
  const { status, headers } = reply
  const resumed = partial.source !== null
  const { host } = new URL(reply.url)
  if (status === 304 && !resumed && known !== null) return { kind: 'unchanged' }
  if (status === 200) return await receiveWhole(reply, job, host)
  if (status === 206 && resumed) return await receiveRest(reply, job, host)
  if (status === 416 && resumed) {
    await partial.begin(null)
    throw cutOff(host, 'has no more of the artifact than is here already, and yet it is not whole')
  }
  throw statusFailure(status, headers, host)
}

async function receiveWhole(reply: OutboundResponse, job: Download, host: string): Promise<DownloadResult> {
  const totalBytes = contentLengthOf(reply.headers)
  assertSize(totalBytes, job)
  const validator = rangeValidatorOf(reply.headers)
  await job.partial.begin(validator === null ? null : { validator, totalBytes })
  await receiveBytes(reply, job, { host, totalBytes, skipBytes: 0 })
  return { kind: 'whole', validators: validatorsOf(reply.headers) }
}

async function receiveRest(reply: OutboundResponse, job: Download, host: string): Promise<DownloadResult> {
  const { partial } = job
  const range = contentRangeOf(reply.headers)
  const firstByte = firstByteOf(partial)
  const expectedBytes = partial.source?.totalBytes ?? null
  const fits =
    range?.firstByte === firstByte &&
    (expectedBytes === null || (range.totalBytes ?? expectedBytes) === expectedBytes)
  if (!fits) {
    await partial.begin(null)
    throw cutOff(host, 'continues the artifact somewhere else than it was asked to')
  }
  const totalBytes = range.totalBytes ?? expectedBytes
  assertSize(totalBytes, job)
  await receiveBytes(reply, job, { host, totalBytes, skipBytes: partial.sizeBytes - firstByte })
  return { kind: 'whole', validators: validatorsOf(reply.headers) }
}

async function receiveBytes(
  reply: OutboundResponse,
  job: Download,
  { host, totalBytes, skipBytes }: { host: string; totalBytes: number | null; skipBytes: number },
): Promise<void> {
  const { partial } = job
  let toSkipBytes = skipBytes
  let toldBytes = Number.NEGATIVE_INFINITY
  for await (const chunk of reply.body) {
    const fresh = chunk.subarray(toSkipBytes)
    toSkipBytes = Math.max(0, toSkipBytes - chunk.length)
    assertSize(partial.sizeBytes + fresh.length, job)
    await partial.append(fresh)
    if (partial.sizeBytes - toldBytes < progressBytes && partial.sizeBytes !== totalBytes) continue
    toldBytes = partial.sizeBytes
    job.tell(partial.sizeBytes, totalBytes)
  }
  if (totalBytes === null || partial.sizeBytes === totalBytes) return
  if (partial.sizeBytes > totalBytes) await partial.begin(null)
  throw cutOff(host, 'sent another number of bytes than it had announced')
}

function assertSize(sizeBytes: number | null, { maxBytes }: Download): void {
  if (sizeBytes === null || sizeBytes <= maxBytes) return
  throw brokenArtifact(
    'too-large',
    `The artifact is larger than ${maxBytes} bytes; allow more by "maxArtifactBytes", or make it smaller.`,
  )
}
