import { IsoplexError } from '../error/error.ts'
import type { OutboundPolicy } from '../network/policy.ts'
import type { Backend, FoundModel, ModelQuestion } from './backend.ts'
import { askSynapse, type SynapseAnswer } from './synapse-exchange.ts'
import { createStyleMemory, type HeaderStyle, headersOf, isHeaderText } from './synapse-headers.ts'
import { backendBroken, readSynapseModel, readSynapseTenant } from './synapse-record.ts'

/** A Synapse backend, as an operator names it. */
export interface SynapseBackendOptions {
  /** Its URL, to which `/models/{id}/` is added: http or https, without user, query or fragment. */
  readonly url: string
  /** Which headers carry access tokens. `auto` finds out. @default 'auto' */
  readonly headers?: HeaderStyle | 'auto'
  /** Time in which it must answer, repetitions included, in milliseconds. @default 15000 */
  readonly timeoutMs?: number
  /**
   * The access token of this server: it asks for callers whose claims are proven and who bring none of their own.
   * Never to be logged. @default null
   */
  readonly serverAccessToken?: string | null
  /** The time in milliseconds since 1970. @default Date.now */
  readonly now?: () => number
}

/** With whose access token a question is asked. */
interface Asker {
  readonly accessToken: string
  readonly tenant: string | null
  /** Whether it is the token of this server, so that the backend checks this server's rights and not the caller's. */
  readonly isServer: boolean
}

const defaultTimeoutMs = 15_000
const longestModelId = 200
const shownModelId = 64

/**
 * Makes a backend that asks a Synapse backend over HTTP, as the Synapse SDK does: `GET {url}/models/{id}/` with the
 * caller's access token. The backend's answer is the only check of that token, and it is sent nowhere else.
 *
 * `confirm` takes a caller as known where the backend does not refuse the caller's token (401) and refuses one that
 * cannot be good: an address that answers everybody alike proves nothing. Whether the model is there, and the caller's,
 * does not count. A tenant is confirmed only where the model's description names the claimed one.
 *
 * @throws {TypeError} where the URL or the server's token cannot be used.
 */
export function createSynapseBackend(options: SynapseBackendOptions): Backend {
  const url = toBaseUrl(options.url)
  const { timeoutMs = defaultTimeoutMs, serverAccessToken = null, now = Date.now } = options
  if (serverAccessToken !== null && !isHeaderText(serverAccessToken)) {
    throw new TypeError('"serverAccessToken" must be a text that fits into a header.')
  }
  const styles = createStyleMemory(options.headers ?? 'auto', now)
  // The operator has named this very server; only it is asked, wherever it is.
  const policy: OutboundPolicy = { origins: [new URL(url).origin], hosts: [] }

  const askInStyle = (
    style: HeaderStyle,
    modelUrl: string,
    asker: Omit<Asker, 'isServer'>,
  ): Promise<SynapseAnswer> =>
    askSynapse({ url: modelUrl, headers: headersOf(style, asker), policy, timeoutMs })

  const ask = async (modelUrl: string, asker: Asker): Promise<SynapseAnswer> => {
    const first = styles.first()
    let answer = await askInStyle(first, modelUrl, asker)
    const second = answer.status === 401 ? styles.second() : null
    if (second !== null) answer = await askInStyle(second, modelUrl, asker)
    if (answer.status === 200) styles.taken(second ?? first)
    if (answer.status === 401) throw refused(asker)
    return answer
  }

  /** Whether this address tells good tokens from bad ones at all. */
  const refusesBadTokens = async (modelUrl: string): Promise<boolean> => {
    const nobody = { accessToken: crypto.randomUUID(), tenant: null }
    return (await askInStyle(styles.first(), modelUrl, nobody)).status === 401
  }

  return Object.freeze({
    name: `synapse:${url.slice(url.indexOf('//') + 2)}`,
    tenantScoped: true,
    async find(question: ModelQuestion): Promise<FoundModel> {
      const asker = askerOf(question, serverAccessToken)
      if (asker === null) throw refused({ isServer: false })
      const { modelId } = question
      const modelUrl = modelUrlOf(url, modelId)
      if (modelUrl === null) throw notFound(modelId)
      const { status, text } = await ask(modelUrl, asker)
      if (status === 403) throw forbidden(modelId)
      if (status === 404) throw notFound(modelId)
      const { record, tenant } = readSynapseModel(text, { modelId, url: `${url}/` })
      if (asker.isServer && isForeign(tenant, question)) throw forbidden(modelId)
      return Object.freeze({
        tenant: confirmed(tenant, question),
        versions: Object.freeze([Object.freeze({ weight: 1, record })]),
      })
    },
    async confirm(question: ModelQuestion): Promise<string | null> {
      const asker = askerOf(question, serverAccessToken)
      if (asker === null && question.proven) return null
      // What is no model's id cannot be asked about, so that nobody's token can be shown to be good.
      const modelUrl = modelUrlOf(url, question.modelId)
      if (asker === null || modelUrl === null) throw refused({ isServer: false })
      const { status, text } = await ask(modelUrl, asker)
      if (!asker.isServer && !(await refusesBadTokens(modelUrl))) throw refused(asker)
      return status === 200 ? confirmed(readSynapseTenant(text), question) : null
    },
  })
}

function toBaseUrl(text: string): string {
  const url = URL.parse(text)
  const isPlain =
    url !== null &&
    (url.protocol === 'http:' || url.protocol === 'https:') &&
    url.username + url.password + url.search + url.hash === ''
  if (isPlain) return url.href.replace(/\/+$/, '')
  throw new TypeError('"url" must be an http or https URL without user, password, query and fragment.')
}

/** Who asks: the caller by its own token, else this server for a caller whose claims are proven; `null` for nobody. */
function askerOf(
  { accessToken, proven, tenant }: ModelQuestion,
  serverAccessToken: string | null,
): Asker | null {
  const token = accessToken ?? (proven ? serverAccessToken : null)
  if (token === null || !isHeaderText(token)) return null
  // A claim that no header can carry is sent as none: the backend could not confirm it.
  const sentTenant = tenant !== null && isHeaderText(tenant) ? tenant : null
  return { accessToken: token, tenant: sentTenant, isServer: accessToken === null }
}

/** Where a model is described; `null` for what no address can name, or what would be another address. */
function modelUrlOf(url: string, modelId: string): string | null {
  const isName = modelId.length <= longestModelId && /^(?!\.{1,2}$)[^/\\\p{C}]+$/u.test(modelId)
  return isName && modelId.isWellFormed() ? `${url}/models/${encodeURIComponent(modelId)}/` : null
}

/** Whether a model is another tenant's. This server may see the models of all; no caller may use that. */
function isForeign(tenant: string | null, question: ModelQuestion): boolean {
  return tenant !== null && question.tenant !== null && tenant !== question.tenant
}

function confirmed(tenant: string | null, question: ModelQuestion): string | null {
  return tenant === question.tenant ? tenant : null
}

function refused({ isServer }: Pick<Asker, 'isServer'>): Error {
  if (isServer) {
    return backendBroken(
      'The model backend does not take the access token of this server; give it another one.',
    )
  }
  const message =
    'The model backend does not take the access token that the model token carries; get a new one.'
  return new IsoplexError('TOKEN_INVALID', message, { details: { reason: 'refused' } })
}

function forbidden(modelId: string): Error {
  const model = quotable(modelId)
  const message = `The model backend gives this caller no right to model ${JSON.stringify(model)}.`
  return new IsoplexError('MODEL_FORBIDDEN', message, { details: { model } })
}

function notFound(modelId: string): Error {
  const model = quotable(modelId)
  const message = `The model backend has no model ${JSON.stringify(model)}.`
  return new IsoplexError('MODEL_NOT_FOUND', message, { details: { model } })
}

function quotable(modelId: string): string {
  return modelId.slice(0, shownModelId).toWellFormed()
}
