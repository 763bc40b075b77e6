import { resolve } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { isAccessToken, isClaimText } from '../auth/claims.ts'
import { loadSigner } from '../auth/issuer-config.ts'
import { loadSigningKey } from '../auth/key-ring.ts'
import { createServeMultiplexedModelId } from '../auth/synapse-token.ts'
import { createEncryptedToken, createIssuerToken, createModelToken } from '../auth/token.ts'
import { makeStateDirectory } from '../config/state-directory.ts'
import { IsoplexError } from '../error/error.ts'
import { createOutput } from './output.ts'
import { addConfigFlags, openProject, type Project } from './project.ts'

interface TokenFlags {
  readonly model: string
  readonly tenant?: string
  readonly expiresInSeconds?: number
  readonly accessTokenFile?: string
  readonly encrypt?: boolean
  readonly issuer?: string
  readonly keyFile?: string
  readonly synapse?: boolean
  readonly json?: boolean
}

/** A token, and how long it is good for; `null` for one without an end. */
interface MadeToken {
  readonly token: string
  readonly expiresInSeconds: number | null
}

const forms = `
By default a token is signed with the project's own key. --encrypt makes one
that only this project can read. --issuer makes one of an issuer among
"tokenIssuers", with its private key. --synapse makes the one that the Synapse
SDK makes: it has no end, and whoever sees it can read the access token.

An access token is never given on the command line, where others could see it:
it comes from --access-token-file or, with --encrypt and --synapse, from the
variable SYNAPSE_ACCESS_TOKEN.`

/** Adds `isoplex token`: it prints a token alone, so that a shell can put it into a header. */
export function addTokenCommand(program: Command): void {
  const command = program
    .command('token')
    .description('Make a model token.')
    .requiredOption('--model <id>', 'the model that the token is for: ID, ID@VERSION or ID@ALIAS', parseModel)
    .option('--tenant <name>', 'the tenant for whom it is', parseClaim)
    .option('--expires-in-seconds <seconds>', 'its life (default: tokenExpiresInSeconds)', parseSeconds)
    .option(
      '--access-token-file <path>',
      "a file with the backend's access token for it to carry; - is standard input",
    )
    .addOption(
      new Option('--encrypt', 'make one that only this project can read').conflicts(['issuer', 'synapse']),
    )
    .addOption(new Option('--issuer <name>', 'make one of this issuer').conflicts('synapse'))
    .option('--key-file <path>', "the issuer's private key: a PEM (PKCS8) or a JWK")
    .addOption(new Option('--synapse', 'make one of the Synapse form').conflicts('expiresInSeconds'))
    .option('--json', 'print JSON')
    .addHelpText('after', forms)
    .action(token)
  addConfigFlags(command, ['audience', 'backendUrl', 'stateDirectory'])
}

async function token(flags: TokenFlags): Promise<void> {
  const project = await openProject({ ...flags })
  const { model, tenant = null } = flags
  if ((flags.issuer === undefined) !== (flags.keyFile === undefined)) {
    throw invalid('--issuer and --key-file belong together: the name of an issuer, and its private key.')
  }
  const { token: made, expiresInSeconds } = await makeToken(flags, project)
  createOutput(flags.json ?? false).result({ token: made, model, tenant, expiresInSeconds }, made)
}

function makeToken(flags: TokenFlags, project: Project): Promise<MadeToken> {
  if (flags.synapse) return makeSynapseToken(flags, project)
  const { issuer, keyFile } = flags
  if (issuer !== undefined && keyFile !== undefined) return makeIssuerToken(issuer, keyFile, flags, project)
  return makeProjectToken(flags, project)
}

async function makeProjectToken(flags: TokenFlags, { config, stateDirectory }: Project): Promise<MadeToken> {
  const { model, tenant = null, expiresInSeconds = config.tokenExpiresInSeconds } = flags
  if (flags.accessTokenFile !== undefined && !flags.encrypt) {
    throw invalid(
      'A signed token can be read by whoever sees it; add --encrypt for it to carry an access token.',
    )
  }
  const accessToken = flags.encrypt ? await readAccessToken(flags) : null
  await makeStateDirectory(stateDirectory)
  const key = await loadSigningKey(stateDirectory, expiresInSeconds)
  const create = flags.encrypt ? createEncryptedToken : createModelToken
  const { audience } = config
  const made = await create(key, { model, tenant, accessToken, audience, expiresInSeconds })
  return { token: made, expiresInSeconds }
}

async function makeIssuerToken(
  issuer: string,
  keyFile: string,
  flags: TokenFlags,
  { config, projectDirectory }: Project,
): Promise<MadeToken> {
  const { model, tenant = null, expiresInSeconds = config.tokenExpiresInSeconds } = flags
  const accessToken = flags.accessTokenFile === undefined ? null : await readAccessToken(flags)
  const { key, ...said } = await loadSigner(config.tokenIssuers, {
    issuer,
    keyFile: resolve(projectDirectory, keyFile),
    audience: config.audience,
  })
  const made = await createIssuerToken(key, { ...said, model, tenant, accessToken, expiresInSeconds })
  return { token: made, expiresInSeconds }
}

async function makeSynapseToken(flags: TokenFlags, { config }: Project): Promise<MadeToken> {
  const { model, tenant = null } = flags
  const { backendUrl } = config
  if (backendUrl === null) {
    throw invalid('--synapse needs the URL of the backend: give --backend-url, or set SYNAPSE_HOST.')
  }
  const accessToken = await readAccessToken(flags)
  if (accessToken === null) {
    throw invalid('--synapse needs an access token: give --access-token-file, or set SYNAPSE_ACCESS_TOKEN.')
  }
  const claims = { modelId: model, token: accessToken, backendUrl, tenant }
  return { token: await createServeMultiplexedModelId(claims), expiresInSeconds: null }
}

/** The access token of the file, else of the environment, without the line break at its end. */
async function readAccessToken({ accessTokenFile: path }: TokenFlags): Promise<string | null> {
  const given = path === undefined ? process.env.SYNAPSE_ACCESS_TOKEN : await readText(path)
  if (given === undefined || (given === '' && path === undefined)) return null
  const text = given.replace(/\r?\n$/, '')
  if (isAccessToken(text)) return text
  throw invalid('The access token must be one line of 1 to 4096 characters.')
}

async function readText(path: string): Promise<string> {
  try {
    return await (path === '-' ? Bun.stdin : Bun.file(path)).text()
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new IsoplexError('CONFIG_INVALID', `The access token cannot be read: ${reason}.`, { cause })
  }
}

function parseModel(text: string): string {
  if (/^[^@]+(?:@[^@]+)?$/.test(text)) return parseClaim(text)
  throw new InvalidArgumentError('It must be ID, ID@VERSION or ID@ALIAS.')
}

function parseClaim(text: string): string {
  if (isClaimText(text)) return text
  throw new InvalidArgumentError('It must be 1 to 256 characters, none of them a control character.')
}

function parseSeconds(text: string): number {
  const seconds = Number(text)
  if (Number.isSafeInteger(seconds) && seconds > 0) return seconds
  throw new InvalidArgumentError('It must be a positive whole number.')
}

function invalid(message: string): IsoplexError<'CONFIG_INVALID'> {
  return new IsoplexError('CONFIG_INVALID', message)
}
