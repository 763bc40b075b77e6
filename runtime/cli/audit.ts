import { type Command, InvalidArgumentError } from 'commander'
import type { AuditEntry } from '../model/audit-table.ts'
import { withAdministration } from './administration.ts'
import { formatTable } from './output.ts'
import { addConfigFlags } from './project.ts'

interface AuditFlags {
  readonly limit: number
  readonly before?: number
}

/** Adds `isoplex audit`: what was changed in the embedded registry, and by whom. */
export function addAuditCommand(program: Command): void {
  const command = program
    .command('audit')
    .description('Show what was changed in the embedded registry, and by whom; newest first.')
    .option('--limit <count>', 'how many entries at most, up to 1000', parseCount, 50)
    .option('--before <id>', 'only entries older than this one', parseCount)
    .option('--json', 'print JSON')
    .action((flags: AuditFlags) =>
      withAdministration({ ...flags }, async (administration, output) => {
        const { limit, before } = flags
        const entries = await administration.listAudit(before === undefined ? { limit } : { limit, before })
        output.result(entries, formatAudit(entries))
      }),
    )
  addConfigFlags(command, ['functionsDirectory', 'stateDirectory'])
}

/** @throws {InvalidArgumentError} */
function parseCount(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number from 1.')
}

/** The entries as people read them. */
export function formatAudit(entries: readonly AuditEntry[]): string {
  if (entries.length === 0) return 'Nothing was changed.'
  const rows = entries.map(({ id, atMs, actor, action, target, details }) => [
    String(id),
    new Date(atMs).toISOString(),
    actor,
    action,
    target,
    JSON.stringify(details),
  ])
  return formatTable([['ENTRY', 'TIME', 'ACTOR', 'ACTION', 'TARGET', 'DETAILS'], ...rows])
}
