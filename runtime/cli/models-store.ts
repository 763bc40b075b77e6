import { type Command, InvalidArgumentError } from 'commander'
import type { PruneResult } from '../model/prune.ts'
import type { BrokenArtifact } from '../model/verify.ts'
import { withAdministration } from './administration.ts'
import { formatBytes, formatTable } from './output.ts'
import { startProgressBar } from './progress-bar.ts'
import { openProject } from './project.ts'

interface VerifyFlags {
  readonly remove?: boolean
}

interface PruneFlags {
  readonly maxBytes?: number
}

interface PullFlags {
  readonly tenant?: string
  readonly json?: boolean
}

/** Adds `isoplex models pull`, `verify` and `prune`, and gives them: what is done to the store of this host. */
export function addStoreCommands(models: Command): readonly Command[] {
  const pull = models
    .command('pull')
    .description('Have a model here before anybody asks for it: downloaded from the backend, and unpacked.')
    .argument('<id>', 'the model, as a token names it')
    .option('--tenant <name>', 'the tenant whose model it is')
    .action((id: string, flags: PullFlags) => pullModel(id, flags))
  const verify = models
    .command('verify')
    .description('Read all artifacts of this host and tell which are broken; fails where one is.')
    .option('--remove', 'remove what is broken: downloads come anew, other models have to be added again')
    .action((flags: VerifyFlags) => verifyStore(flags))
  const prune = models
    .command('prune')
    .description('Remove downloaded and unpacked artifacts that were unused longest.')
    .option('--max-bytes <bytes>', 'how much may stay (default: maxStoreBytes)', parseBytes)
    .action((flags: PruneFlags) => pruneStore(flags))
  return [pull, verify, prune]
}

function pullModel(id: string, flags: PullFlags): Promise<void> {
  const { tenant = null } = flags
  return withAdministration({ ...flags }, async (administration, output) => {
    const bar = startProgressBar(id, { visible: !flags.json && process.stderr.isTTY === true })
    try {
      const pulled = await administration.pullModel({ id, tenant, onProgress: bar.update })
      bar.stop()
      output.result(
        pulled,
        pulled.map((model) => `Here: ${model.id}@${model.version} (sha256 ${model.digest})`).join('\n'),
      )
    } finally {
      bar.stop()
    }
  })
}

function verifyStore(flags: VerifyFlags): Promise<void> {
  return withAdministration({ ...flags }, async (administration, output) => {
    const broken = await administration.verifyStore({ remove: flags.remove ?? false })
    output.result(broken, formatBroken(broken))
    if (broken.length > 0) process.exitCode = 1
  })
}

async function pruneStore(flags: PruneFlags): Promise<void> {
  const maxBytes = flags.maxBytes ?? (await openProject({ ...flags })).config.maxStoreBytes
  await withAdministration({ ...flags }, async (administration, output) => {
    const pruned = await administration.pruneStore({ maxBytes })
    output.result(pruned, formatPruned(pruned))
  })
}

/** Reads a number of bytes. @throws {InvalidArgumentError} where it is none. */
export function parseBytes(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number of bytes.')
}

/** What is broken, as people read it. */
export function formatBroken(broken: readonly BrokenArtifact[]): string {
  if (broken.length === 0) return 'Every artifact is as it was put here.'
  const rows = broken.map(({ digest, part, file }) => [digest, part, file ?? '-'])
  return formatTable([['SHA-256', 'BROKEN', 'FILE'], ...rows])
}

function formatPruned({ removed, freedBytes, leftBytes }: PruneResult): string {
  const count = removed.length === 1 ? '1 artifact' : `${removed.length} artifacts`
  return `Removed ${count}, freed ${formatBytes(freedBytes)}; ${formatBytes(leftBytes)} are left`
}
