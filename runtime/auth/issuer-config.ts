import { resolve } from 'node:path'
import type { TokenIssuerConfig, TokenKeyConfig } from '../config/token-issuer-config.ts'
import { IsoplexError } from '../error/error.ts'
import { type ClaimNames, defaultClaimNames } from './claims.ts'
import { projectIssuerName, synapseIssuerName, type TokenIssuer } from './issuer.ts'
import { createJwksSource, type FetchJson } from './jwks.ts'
import { createKeySource, type KeySource, publicAlgorithms, type SigningKey, type TokenKey } from './key.ts'
import { readKeyFile } from './key-file.ts'
import { importKeyMaterial, importSigningKey, isPublicAlgorithm, keyForms } from './key-material.ts'

/** What issuers are loaded with. */
export interface IssuerSurroundings {
  /** From where the paths of key files are seen. */
  readonly projectDirectory: string
  /** The `aud` of issuers that name none themselves; `null`: their tokens must name none. */
  readonly audience: string | null
  /** Fetches the keys of issuers that publish them. */
  readonly fetchJson: FetchJson
}

const maxKeyFileBytes = 65_536

/**
 * Loads the issuers of a configuration, those with keys in files first. Keys that are published are fetched when a
 * token first needs them.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where a key's file is missing, is no key for its algorithm or, being secret,
 * may be used by others; where two issuers have one name, or two keys one id.
 */
export async function loadTokenIssuers(
  configs: readonly TokenIssuerConfig[],
  surroundings: IssuerSurroundings,
): Promise<readonly TokenIssuer[]> {
  refuseSharedNames(configs.map(({ name }) => name))
  const ordered = configs.toSorted(
    (one, other) => Number(one.keys === undefined) - Number(other.keys === undefined),
  )
  const keyIds: string[] = []
  const issuers: TokenIssuer[] = []
  for (const config of ordered) {
    const keys = await Promise.all((config.keys ?? []).map((key) => loadKey(key, config, surroundings)))
    keyIds.push(...keys.map(({ id }) => id).filter((id) => id !== null))
    issuers.push(
      toIssuer(
        config,
        config.keys ? createKeySource(keys) : toJwksSource(config, surroundings),
        surroundings,
      ),
    )
  }
  const twice = keyIds.find((id, index) => keyIds.indexOf(id) !== index)
  if (twice !== undefined)
    throw invalid(`Two keys of tokenIssuers have the id ${JSON.stringify(twice)}; each needs its own.`)
  return Object.freeze(issuers)
}

/** With what an issuer's token is made, and what it has to say to be taken here. */
export interface Signer {
  readonly key: SigningKey
  readonly issuer: string | null
  readonly audience: string | null
  readonly claims: ClaimNames
}

/**
 * Loads the private key of an issuer of a configuration, to make a token such as it makes.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where there is no such issuer, or the file is missing, may be used by others
 * or is no private key that signs.
 */
export async function loadSigner(
  configs: readonly TokenIssuerConfig[],
  { issuer: name, keyFile, audience }: { issuer: string; keyFile: string; audience: string | null },
): Promise<Signer> {
  const config = configs.find((candidate) => candidate.name === name)
  if (config === undefined) {
    const names = configs.map((candidate) => candidate.name).join(', ') || 'none'
    throw invalid(`There is no issuer of that name among tokenIssuers; there is ${names}.`)
  }
  const key = await importSigningKey(readText(keyFile, name, { secret: true }))
  if (key === null) {
    throw invalid(
      `The key ${keyFile} must be a private key for ${publicAlgorithms.join(', ')}, as PEM (PKCS8) or JWK.`,
    )
  }
  const { issuer, claims, audience: own } = toIssuer(config, createKeySource([]), { audience })
  return { key: { ...key, id: key.id ?? idOfKey(config, key) }, issuer, claims, audience: own }
}

/** The id that the configuration gives to the only key of this algorithm. */
function idOfKey({ name, keys = [] }: TokenIssuerConfig, { algorithm }: SigningKey): string | null {
  const [fitting, ...others] = keys.filter((key) => key.algorithm === algorithm)
  if (others.length === 0) return fitting?.id ?? null
  throw invalid(`The issuer "${name}" has several keys for ${algorithm}; give a JWK that names its "kid".`)
}

function refuseSharedNames(names: readonly string[]): void {
  const all = [projectIssuerName, synapseIssuerName, ...names]
  const twice = all.find((name, index) => all.indexOf(name) !== index)
  if (twice === undefined) return
  const taken = twice === projectIssuerName || twice === synapseIssuerName
  throw invalid(
    taken
      ? `An issuer of tokenIssuers is named "${twice}", which isoplex itself is; give it another name.`
      : `Two issuers of tokenIssuers are named "${twice}"; each needs its own name.`,
  )
}

function toIssuer(
  config: TokenIssuerConfig,
  keys: KeySource,
  { audience }: Pick<IssuerSurroundings, 'audience'>,
): TokenIssuer {
  return Object.freeze({
    name: config.name,
    keys,
    rules: 'standard',
    claims: Object.freeze({ ...defaultClaimNames, ...config.claims }),
    issuer: config.issuer ?? null,
    audience: config.audience ?? audience,
  })
}

async function loadKey(
  { file, algorithm, id }: TokenKeyConfig,
  { name }: TokenIssuerConfig,
  { projectDirectory }: IssuerSurroundings,
): Promise<TokenKey> {
  const path = resolve(projectDirectory, file)
  const text = readText(path, name, { secret: !isPublicAlgorithm(algorithm) })
  const material = await importKeyMaterial(text, algorithm)
  if (material === null) {
    throw invalid(
      `The key ${path} of the token issuer "${name}" must be ${keyForms[algorithm]}, for ${algorithm}.`,
    )
  }
  return Object.freeze({
    id: id ?? material.id,
    algorithm,
    key: material.key,
    untilMs: Number.POSITIVE_INFINITY,
  })
}

function readText(path: string, issuer: string, { secret }: { readonly secret: boolean }): string {
  try {
    const text = readKeyFile(path, { secret, maxBytes: maxKeyFileBytes })
    if (text !== null) return text
  } catch (cause) {
    if (cause instanceof IsoplexError) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw invalid(`The key ${path} of the token issuer "${issuer}" cannot be read: ${reason}.`)
  }
  throw invalid(`The token issuer "${issuer}" needs the key ${path}, which is not there.`)
}

function toJwksSource(
  { name, jwksUrl = '', algorithms = publicAlgorithms }: TokenIssuerConfig,
  { fetchJson }: IssuerSurroundings,
): KeySource {
  const pinned = algorithms.filter(isPublicAlgorithm)
  if (pinned.length < algorithms.length) {
    const allowed = publicAlgorithms.join(', ')
    throw invalid(
      `The token issuer "${name}" publishes its keys, which can be for ${allowed} only; take the others off its algorithms.`,
    )
  }
  return createJwksSource({ issuer: name, url: jwksUrl, algorithms: pinned, fetchJson })
}

function invalid(message: string): IsoplexError<'CONFIG_INVALID'> {
  return new IsoplexError('CONFIG_INVALID', message)
}
