import type { Command } from 'commander'
import { loadProjectKey } from '../auth/key.ts'
import { createModelToken } from '../auth/token.ts'
import { makeStateDirectory } from '../config/state-directory.ts'
import { createOutput } from './output.ts'
import { openProject } from './project.ts'

interface TokenFlags {
  readonly model: string
  readonly tenant?: string
  readonly expiresInSeconds?: string
  readonly json?: boolean
}

/** Adds `isoplex token`: it prints a token alone, so that a shell can put it into a header. */
export function addTokenCommand(program: Command): void {
  program
    .command('token')
    .description('Make a model token with the key of this project.')
    .requiredOption('--model <id>', 'the model that the token is for')
    .option('--tenant <name>', 'the tenant for whom it is')
    .option('--expires-in-seconds <seconds>', 'how long it is good for (default: tokenExpiresInSeconds)')
    .option('--json', 'print JSON')
    .action(async (flags: TokenFlags) => {
      const { config, stateDirectory } = await openProject()
      await makeStateDirectory(stateDirectory)
      const expiresInSeconds = Number(flags.expiresInSeconds ?? config.tokenExpiresInSeconds)
      const token = await createModelToken(await loadProjectKey(stateDirectory), {
        model: flags.model,
        tenant: flags.tenant ?? null,
        audience: config.audience,
        expiresInSeconds,
      })
      createOutput(flags.json ?? false).result({ token, model: flags.model, expiresInSeconds }, token)
    })
}
