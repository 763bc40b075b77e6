import { type Command, InvalidArgumentError } from 'commander'
import {
  listProjectKeys,
  type ProjectKeyFacts,
  removeProjectKey,
  rotateProjectKeys,
} from '../auth/key-ring.ts'
import { makeStateDirectory } from '../config/state-directory.ts'
import { createOutput, formatTable } from './output.ts'
import { addConfigFlags, openProject } from './project.ts'

interface KeysFlags {
  readonly json?: boolean
}

interface RotateFlags extends KeysFlags {
  readonly keepSeconds?: number
}

const rotation = `
The key that signed until now goes on to verify for as long as the longest
token made with "isoplex token" lives; --keep-seconds sets another time, and 0
ends its tokens at once.`

/** Adds `isoplex keys`: the keys that sign and verify this project's tokens. The secrets are never shown. */
export function addKeysCommand(program: Command): void {
  const keys = program.command('keys').description("Keys of this project's tokens.")
  const list = keys.command('list').description('List the keys.').action(listKeys)
  const rotate = keys
    .command('rotate')
    .description('Make a new key that signs from now on.')
    .option('--keep-seconds <seconds>', 'how long the key before it goes on to verify', parseSeconds)
    .addHelpText('after', rotation)
    .action(rotateKeys)
  const remove = keys
    .command('remove')
    .description('Remove a key that does not sign; its tokens end at once.')
    .argument('<id>', 'the key, as list shows it')
    .action(removeKey)
  for (const command of [list, rotate, remove]) {
    addConfigFlags(command.option('--json', 'print JSON'), ['stateDirectory'])
  }
}

async function listKeys(flags: KeysFlags): Promise<void> {
  const facts = listProjectKeys(await openState(flags))
  createOutput(flags.json ?? false).result(facts, formatKeys(facts))
}

async function rotateKeys(flags: RotateFlags): Promise<void> {
  const { config, stateDirectory } = await openProject({ ...flags })
  await makeStateDirectory(stateDirectory)
  const { keepSeconds } = flags
  const facts = rotateProjectKeys(stateDirectory, {
    tokenLifeSeconds: config.tokenExpiresInSeconds,
    ...(keepSeconds === undefined ? {} : { keepSeconds }),
  })
  createOutput(flags.json ?? false).result(facts, formatKeys(facts))
}

async function removeKey(id: string, flags: KeysFlags): Promise<void> {
  const facts = removeProjectKey(await openState(flags), id)
  createOutput(flags.json ?? false).result(facts, formatKeys(facts))
}

async function openState(flags: KeysFlags): Promise<string> {
  const { stateDirectory } = await openProject({ ...flags })
  await makeStateDirectory(stateDirectory)
  return stateDirectory
}

function formatKeys(facts: readonly ProjectKeyFacts[]): string {
  const rows = facts.map(({ id, signs, untilMs }) => [
    id,
    signs ? 'signs' : 'verifies',
    untilMs === null ? '' : `until ${new Date(untilMs).toISOString()}`,
  ])
  return formatTable([['KEY', 'USE', ''], ...rows])
}

function parseSeconds(text: string): number {
  if (/^\d{1,10}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number of seconds.')
}
