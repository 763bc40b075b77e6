import { loadSigningKey } from '../auth/key-ring.ts'
import { createEncryptedToken, createModelToken } from '../auth/token.ts'
import type { FunctionManifest } from '../build/manifest.ts'
import { makeStateDirectory } from '../config/state-directory.ts'
import { namedModelId } from '../define/model-id.ts'
import { IsoplexError } from '../error/error.ts'
import type { RunRequest } from './run-request.ts'

/**
 * The model token that is given: of the file, else of `ISOPLEX_TOKEN`; `null` where none is.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where the file cannot be read.
 */
export async function readGivenToken({ tokenFile }: RunRequest): Promise<string | null> {
  const text = tokenFile === null ? process.env.ISOPLEX_TOKEN : await readText(tokenFile)
  return text?.trim() || null
}

async function readText(path: string): Promise<string> {
  try {
    return await (path === '-' ? Bun.stdin : Bun.file(path)).text()
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new IsoplexError('CONFIG_INVALID', `The token cannot be read: ${reason}.`, { cause })
  }
}

/** The model that a token is to be for: that of `--model`, of the parameters or of the action; `null` where none is named. */
export function namedModel({ action }: FunctionManifest, { model, params }: RunRequest): string | null {
  return model ?? namedModelId(params) ?? action?.models[0] ?? null
}

/**
 * Makes a token with the project's own key, as `isoplex token` does, for the model of {@link namedModel}; `null` where
 * there is none. An access token of the environment is in it, for the server alone to read.
 */
export async function makeProjectToken(fn: FunctionManifest, request: RunRequest): Promise<string | null> {
  const { config, stateDirectory } = request.project
  const model = namedModel(fn, request)
  if (model === null) return null
  const { tokenExpiresInSeconds: expiresInSeconds, audience } = config
  await makeStateDirectory(stateDirectory)
  const key = await loadSigningKey(stateDirectory, expiresInSeconds)
  const accessToken = process.env.SYNAPSE_ACCESS_TOKEN || null
  const create = accessToken === null ? createModelToken : createEncryptedToken
  return await create(key, { model, tenant: request.tenant, accessToken, audience, expiresInSeconds })
}
