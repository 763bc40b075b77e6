import { type Command, InvalidArgumentError } from 'commander'
import { loadProjectKey } from '../auth/key.ts'
import { createModelToken, isClaimText } from '../auth/token.ts'
import { makeStateDirectory } from '../config/state-directory.ts'
import { createOutput } from './output.ts'
import { addConfigFlags, openProject } from './project.ts'

interface TokenFlags {
  readonly model: string
  readonly tenant?: string
  readonly expiresInSeconds?: number
  readonly json?: boolean
}

/** Adds `isoplex token`: it prints a token alone, so that a shell can put it into a header. */
export function addTokenCommand(program: Command): void {
  const command = program
    .command('token')
    .description('Make a model token with the key of this project.')
    .requiredOption('--model <id>', 'the model that the token is for', parseClaim)
    .option('--tenant <name>', 'the tenant for whom it is', parseClaim)
    .option('--expires-in-seconds <seconds>', 'its life (default: tokenExpiresInSeconds)', parseSeconds)
    .option('--json', 'print JSON')
    .action(token)
  addConfigFlags(command, ['audience', 'stateDirectory'])
}

async function token(flags: TokenFlags): Promise<void> {
  const { config, stateDirectory } = await openProject({ ...flags })
  await makeStateDirectory(stateDirectory)
  const { audience } = config
  const { model, tenant = null, expiresInSeconds = config.tokenExpiresInSeconds } = flags
  const key = await loadProjectKey(stateDirectory)
  const made = await createModelToken(key, { model, tenant, audience, expiresInSeconds })
  createOutput(flags.json ?? false).result({ token: made, model, tenant, expiresInSeconds }, made)
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
