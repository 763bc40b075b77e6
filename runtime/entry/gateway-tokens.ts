import { type ArtifactGrants, createArtifactGrants } from '../auth/grant.ts'
import { createProjectIssuer, createSynapseIssuer, type TokenIssuer } from '../auth/issuer.ts'
import { loadTokenIssuers } from '../auth/issuer-config.ts'
import { loadProjectKeys } from '../auth/key-ring.ts'
import { type CredentialSeals, createCredentialSeals } from '../auth/sealed-credential.ts'
import { createTokenVerifier, type TokenVerifier } from '../auth/verifier.ts'
import type { Config } from '../config/config.ts'
import { fetchFailed } from '../network/refusal.ts'
import type { Logger } from '../observe/log.ts'
import { watchState } from './state-watch.ts'

/** What the tokens of a gateway are verified with. */
export interface GatewayTokensOptions {
  readonly config: Pick<Config, 'tokenIssuers' | 'audience' | 'backendUrl'>
  readonly projectDirectory: string
  readonly stateDirectory: string
  readonly log: Logger
}

/** What is verified and made with the keys of a project, as they are now. */
export interface GatewayTokens {
  readonly verifier: TokenVerifier
  readonly grants: ArtifactGrants
  readonly seals: CredentialSeals
}

const fetchTimeoutMs = 10_000

/**
 * Trusts the project itself, whoever knows the backend's URL as far as the backend vouches for him, and the issuers
 * of the configuration. The project's keys are followed: a rotation or a removal counts at once.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where a key cannot be had.
 */
export async function openGatewayTokens(
  options: GatewayTokensOptions,
  resources: AsyncDisposableStack,
): Promise<GatewayTokens> {
  const { config, projectDirectory, stateDirectory, log } = options
  const { audience, backendUrl } = config
  const others: readonly TokenIssuer[] = [
    ...(backendUrl === null ? [] : [await createSynapseIssuer(backendUrl)]),
    ...(await loadTokenIssuers(config.tokenIssuers, {
      projectDirectory,
      audience,
      fetchJson: (url) => fetchKeys(url, log),
    })),
  ]
  const load = async (): Promise<GatewayTokens> => {
    const keys = await loadProjectKeys(stateDirectory)
    const issuers = [createProjectIssuer(keys, { audience }), ...others]
    return {
      verifier: createTokenVerifier({ issuers }),
      grants: createArtifactGrants(keys),
      seals: createCredentialSeals(keys),
    }
  }
  let current = await load()
  const follow = async (): Promise<void> => {
    try {
      current = await load()
      log.debug('The keys of the project were read anew')
    } catch (error) {
      log.error('The keys of the project cannot be read; those of before count on', { error })
    }
  }
  // One after another: of two changes in a row the last one has to stay.
  let following = Promise.resolve()
  const events = {
    onChange: () => {
      following = following.then(follow)
    },
    onError: (error: unknown) =>
      log.warn('The keys are not watched: start the server anew when they change', { error }),
  }
  resources.use(watchState(stateDirectory, (name) => name === 'key', events))
  // They may have changed between the first reading and the watch.
  await follow()
  return Object.freeze<GatewayTokens>({
    verifier: Object.freeze<TokenVerifier>({ verify: (token) => current.verifier.verify(token) }),
    grants: Object.freeze<ArtifactGrants>({
      make: (digest, expiresAtMs) => current.grants.make(digest, expiresAtMs),
      check: (digest, text, nowMs) => current.grants.check(digest, text, nowMs),
    }),
    seals: Object.freeze<CredentialSeals>({
      seal: (credentials, purpose) => current.seals.seal(credentials, purpose),
      open: (sealed, purpose) => current.seals.open(sealed, purpose),
    }),
  })
}

/** Fetches published keys from the server that the operator has named, and from no other. */
async function fetchKeys(url: string, log: Logger): Promise<unknown> {
  const { origin, host } = new URL(url)
  try {
    // Few projects trust others' keys, and what HTTP takes to load would delay every start.
    const { requestJson } = await import('../network/json-reply.ts')
    const policy = { origins: [origin], hosts: [] }
    const { status, body } = await requestJson({ url, policy, timeoutMs: fetchTimeoutMs })
    if (status === 200 && body.kind === 'json') return body.value
    throw fetchFailed(
      'status',
      `It answers with status ${status}, and with ${body.kind === 'json' ? '' : 'no '}JSON.`,
    )
  } catch (error) {
    log.warn('The keys of a token issuer cannot be fetched', { host, error })
    throw error
  }
}
