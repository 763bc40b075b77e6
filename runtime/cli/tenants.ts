import type { Command } from 'commander'
import type { RegisteredTenant } from '../model/tenant-table.ts'
import { type AdministrationTask, localActor, withAdministration } from './administration.ts'
import { formatTable } from './output.ts'
import { addConfigFlags } from './project.ts'

interface TenantsFlags {
  readonly json?: boolean
}

/** Adds `isoplex tenants`: for whom the embedded registry has models and accesses. */
export function addTenantsCommand(program: Command): void {
  const tenants = program.command('tenants').description('Tenants of the embedded registry.')
  const add = tenants
    .command('add')
    .description('Add a tenant, or take in one that was revoked.')
    .argument('<name>', 'the tenant, as tokens name it')
    .action((name: string, flags: TenantsFlags) => withAdministration({ ...flags }, addTenant(name)))
  const list = tenants
    .command('list')
    .description('List the tenants.')
    .action((flags: TenantsFlags) => withAdministration({ ...flags }, listTenants))
  const revoke = tenants
    .command('revoke')
    .description('Revoke a tenant and all its accesses.')
    .argument('<name>', 'the tenant')
    .action((name: string, flags: TenantsFlags) => withAdministration({ ...flags }, revokeTenant(name)))
  for (const command of [add, list, revoke]) {
    addConfigFlags(command.option('--json', 'print JSON'), ['functionsDirectory', 'stateDirectory'])
  }
}

function addTenant(name: string): AdministrationTask {
  return async (administration, output) => {
    output.result(await administration.addTenant({ actor: localActor, name }), `Added tenant ${name}`)
  }
}

const listTenants: AdministrationTask = async (administration, output) => {
  const tenants = await administration.listTenants({})
  output.result(tenants, formatTenants(tenants))
}

function revokeTenant(name: string): AdministrationTask {
  return async (administration, output) => {
    const tenant = await administration.revokeTenant({ actor: localActor, name })
    output.result(tenant, `Revoked tenant ${name} and all its accesses`)
  }
}

/** The tenants as people read them. */
export function formatTenants(tenants: readonly RegisteredTenant[]): string {
  if (tenants.length === 0) return 'No tenants. Add one with: isoplex tenants add NAME'
  const rows = tenants.map(({ name, addedAtMs, revokedAtMs }) => [
    name,
    new Date(addedAtMs).toISOString(),
    revokedAtMs === null ? '-' : new Date(revokedAtMs).toISOString(),
  ])
  return formatTable([['TENANT', 'ADDED', 'REVOKED'], ...rows])
}
