import { type Command, InvalidArgumentError, Option } from 'commander'
import type { AccessRights, RegisteredAccess } from '../model/access-table.ts'
import { type AdministrationTask, localActor, withAdministration } from './administration.ts'
import { formatTable } from './output.ts'
import { addConfigFlags } from './project.ts'

interface AccessFlags {
  readonly json?: boolean
}

interface AddFlags extends AccessFlags {
  readonly tenant?: string
  readonly model?: readonly string[]
  readonly right: AccessRights
  readonly label?: string
  readonly expiresInDays?: number
}

const dayMs = 86_400_000

/** Adds `isoplex access`: the access tokens that the embedded registry takes. */
export function addAccessCommand(program: Command): void {
  const access = program.command('access').description('Access tokens of the embedded registry.')
  const add = access
    .command('add')
    .description('Make an access token and print it alone, this once: it cannot be shown again.')
    .option('--tenant <name>', 'the tenant for whom it is (default: none)')
    .option(
      '--model <id>',
      'a model that it gives; repeatable (default: all that the tenant may use)',
      collect,
    )
    .addOption(
      new Option('--right <right>', 'what it may do').choices(['use', 'publish', 'admin']).default('use'),
    )
    .option('--label <text>', 'what people know it by')
    .option('--expires-in-days <days>', 'its life (default: no end)', parseDays)
    .action((flags: AddFlags) => withAdministration({ ...flags }, addAccess(flags)))
  const list = access
    .command('list')
    .description('List the accesses, without their tokens.')
    .action((flags: AccessFlags) => withAdministration({ ...flags }, listAccesses))
  const revoke = access
    .command('revoke')
    .description('Revoke an access.')
    .argument('<id>', 'the number of the access', parseId)
    .action((id: number, flags: AccessFlags) => withAdministration({ ...flags }, revokeAccess(id)))
  for (const command of [add, list, revoke]) {
    addConfigFlags(command.option('--json', 'print JSON'), ['functionsDirectory', 'stateDirectory'])
  }
}

function addAccess({ tenant, model, right, label, expiresInDays }: AddFlags): AdministrationTask {
  return async (administration, output) => {
    const created = await administration.addAccess({
      actor: localActor,
      tenant: tenant ?? null,
      models: model ?? null,
      rights: right,
      label: label ?? '',
      expiresAtMs: expiresInDays === undefined ? null : Date.now() + expiresInDays * dayMs,
    })
    output.result(created, created.token)
    output.note(`Access ${created.id}: keep the token, it is not shown again.`)
  }
}

const listAccesses: AdministrationTask = async (administration, output) => {
  const accesses = await administration.listAccesses({})
  output.result(accesses, formatAccesses(accesses))
}

function revokeAccess(id: number): AdministrationTask {
  return async (administration, output) => {
    output.result(await administration.revokeAccess({ actor: localActor, id }), `Revoked access ${id}`)
  }
}

function collect(text: string, others: readonly string[] = []): readonly string[] {
  return [...others, text]
}

/** @throws {InvalidArgumentError} */
function parseId(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It is a whole number, as "isoplex access list" shows it.')
}

/** Reads a number of days. @throws {InvalidArgumentError} where it is not one from 1 to 36500. */
export function parseDays(text: string): number {
  const days = Number(text)
  if (/^\d+$/.test(text) && days >= 1 && days <= 36_500) return days
  throw new InvalidArgumentError('It must be a whole number from 1 to 36500.')
}

/** The accesses as people read them. */
export function formatAccesses(accesses: readonly RegisteredAccess[]): string {
  if (accesses.length === 0) return 'No accesses. Add one with: isoplex access add'
  const rows = accesses.map(({ id, rights, tenant, models, label, expiresAtMs, revokedAtMs }) => [
    String(id),
    rights,
    tenant ?? '-',
    models?.join(' ') ?? 'all',
    timeOf(expiresAtMs),
    timeOf(revokedAtMs),
    label || '-',
  ])
  return formatTable([['ACCESS', 'RIGHT', 'TENANT', 'MODELS', 'EXPIRES', 'REVOKED', 'LABEL'], ...rows])
}

function timeOf(timeMs: number | null): string {
  return timeMs === null ? '-' : new Date(timeMs).toISOString()
}
