import { type ErrorDetails, errorCodes } from '../error/codes.ts'
import { type AnyIsoplexError, IsoplexError, isIsoplexError } from '../error/error.ts'
import { fromProblem } from '../error/wire.ts'
import { jsonWithin } from '../runner/bounded-bytes.ts'
import type { ObtainOptions } from './artifact.ts'
import type { ArtifactDraft } from './artifact-draft.ts'
import type { PageModel } from './model.ts'

/** How an artifact is downloaded. */
export interface DownloadOptions extends Omit<ObtainOptions, 'renew'> {
  readonly renew?: ObtainOptions['renew'] | undefined
  /** How long nothing may come before a connection counts as broken, in milliseconds. */
  readonly idleTimeoutMs: number
}

/** So often a download goes on after it was cut off. */
const mostCuts = 5
const mostRenewals = 3
/** The most bytes that are read of what says why there is no artifact. */
const maxProblemBytes = 65_536

/**
 * Downloads what is missing of an artifact. Where the connection breaks off it goes on from there, and where the link
 * is not taken any more, by a new one. That all has come does not mean that it is what it should be.
 *
 * @throws {IsoplexError} `FETCH_FAILED`, with what has come so far left in the draft; `GRANT_INVALID` where there is no
 * new link; `ARTIFACT_BROKEN` where the server has more or less to give than it should.
 */
export async function downloadArtifact(
  model: PageModel,
  draft: ArtifactDraft,
  options: DownloadOptions,
): Promise<void> {
  let link = model
  let cuts = 0
  let renewals = 0
  while (draft.doneBytes !== model.sizeBytes) {
    const before = draft.doneBytes
    try {
      await downloadRest(link, draft, options)
    } catch (error) {
      options.signal.throwIfAborted()
      if (!isIsoplexError(error)) throw error
      if (error.code === 'GRANT_INVALID' && options.renew && renewals < mostRenewals) {
        renewals += 1
        link = await renewed(model, options.renew)
      } else if (isCut(error, draft.doneBytes > before) && cuts < mostCuts) {
        cuts += 1
      } else throw error
    }
  }
}

/** Whether it is worth going on at once. What came last before a cut may be lost to the page, so that it has nothing. */
function isCut(error: AnyIsoplexError, hasGotOn: boolean): boolean {
  return error.code === 'FETCH_FAILED' && (hasGotOn || error.details.reason === 'cut-off')
}

async function renewed(model: PageModel, renew: () => Promise<PageModel>): Promise<PageModel> {
  const link = await renew()
  if (link.digest === model.digest && link.sizeBytes === model.sizeBytes) return link
  throw new IsoplexError('GRANT_INVALID', `Model "${model.id}" has changed meanwhile; ask for it again.`)
}

async function downloadRest(link: PageModel, draft: ArtifactDraft, options: DownloadOptions): Promise<void> {
  const { digest, sizeBytes } = link
  if (draft.doneBytes > sizeBytes) draft.restart()
  const silence = new SilenceWatch(options.idleTimeoutMs)
  const signal = AbortSignal.any([options.signal, silence.signal])
  const { host } = new URL(options.baseUrl)
  let reply: Response | undefined
  try {
    reply = await fetch(urlOf(link, options.baseUrl), {
      headers: draft.doneBytes > 0 ? { range: `bytes=${draft.doneBytes}-`, 'if-range': `"${digest}"` } : {},
      cache: 'no-store',
      credentials: 'omit',
      signal,
    })
    await assertGiven(reply, host)
    placeReply(reply, link, draft)
    await take(reply, sizeBytes, draft, () => {
      silence.heard()
      options.onProgress(draft.doneBytes, sizeBytes)
    })
  } catch (error) {
    if (isIsoplexError(error)) throw error
    if (silence.signal.aborted) throw fetchFailed('timeout', `"${host}" sends nothing any more.`, error)
    if (reply) throw fetchFailed('cut-off', `The download from "${host}" broke off.`, error)
    throw fetchFailed('connection', `"${host}" does not answer, or not to this page.`, error)
  } finally {
    silence.end()
    await reply?.body?.cancel().catch(() => undefined)
  }
}

/** The link is a path from where the server is, which may be below a path of its own. */
function urlOf({ url }: PageModel, baseUrl: string): string {
  return url.startsWith('/') ? baseUrl.replace(/\/+$/, '') + url : url
}

async function assertGiven(reply: Response, host: string): Promise<void> {
  if (reply.status === 200 || reply.status === 206) return
  const problem = fromProblem(await jsonWithin(reply, maxProblemBytes).catch(() => null))
  const { status } = reply
  if (problem?.code === 'GRANT_INVALID' || problem?.code === 'ENTRY_NOT_FOUND') {
    throw new IsoplexError(
      'GRANT_INVALID',
      `"${host}" does not take the link any more; ask for the model again.`,
    )
  }
  if (status === errorCodes.RANGE_UNSATISFIABLE.status)
    throw broken('range', 'has fewer bytes than it should have')
  throw fetchFailed('status', `"${host}" answers with status ${status} where an artifact should be.`)
}

/** Sees to it that what the reply holds is what comes next. */
function placeReply({ status, headers }: Response, { sizeBytes }: PageModel, draft: ArtifactDraft): void {
  if (status === 200) {
    if (draft.doneBytes > 0) draft.restart()
    return
  }
  const place = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(headers.get('content-range') ?? '')
  const [start, , total] = place?.slice(1).map(Number) ?? []
  if (start === draft.doneBytes && total === sizeBytes) return
  throw broken('range', 'does not come from where it was cut off')
}

async function take(
  { body }: Response,
  sizeBytes: number,
  draft: ArtifactDraft,
  onTaken: () => void,
): Promise<void> {
  const reader = body?.getReader()
  try {
    for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
      if (draft.doneBytes + read.value.length > sizeBytes)
        throw broken('size', 'has more bytes than it should have')
      await draft.append(read.value)
      onTaken()
    }
  } finally {
    reader?.releaseLock()
  }
  if (draft.doneBytes < sizeBytes) throw broken('size', 'has fewer bytes than it should have')
}

/** Ends a connection on which nothing comes. */
class SilenceWatch {
  readonly #controller = new AbortController()
  readonly #patienceMs: number
  #timer: ReturnType<typeof setTimeout>

  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs
    this.#timer = this.#wait()
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  heard(): void {
    clearTimeout(this.#timer)
    this.#timer = this.#wait()
  }

  end(): void {
    clearTimeout(this.#timer)
  }

  #wait(): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.#controller.abort(), this.#patienceMs)
  }
}

/** The error of an artifact that is not what it should be. `what` follows "The artifact". */
export function broken(reason: string, what: string): IsoplexError<'ARTIFACT_BROKEN'> {
  const message = `The artifact that came ${what}; try again, or ask who runs the server.`
  return new IsoplexError('ARTIFACT_BROKEN', message, { details: { reason } })
}

function fetchFailed(
  reason: ErrorDetails['FETCH_FAILED']['reason'],
  message: string,
  cause?: unknown,
): IsoplexError<'FETCH_FAILED'> {
  return new IsoplexError('FETCH_FAILED', message, { details: { reason }, cause })
}
