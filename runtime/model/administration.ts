import type { AccessOptions, CheckedAccess, CreatedAccess, RegisteredAccess } from './access-table.ts'
import type { AliasOptions, SetAliasOptions } from './alias-table.ts'
import type { AuditEntry, AuditPage, ResidencyAction } from './audit-table.ts'
import type { ProgressOptions } from './progress.ts'
import type { RegisteredAlias, RegisteredModel } from './registered-model.ts'
import type { AddedModel, AddModelOptions } from './registration.ts'
import type { Registry } from './registry.ts'
import type { RemoveModelOptions } from './removal.ts'
import type { RegisteredTenant } from './tenant-table.ts'
import type { Change } from './transaction.ts'

/** A model to be shown. */
export interface ShowModelParameters {
  readonly id: string
}

/** A model to be added; as `Registry.add`, less the progress, which is not plain data. */
export type AddModelParameters = Omit<AddModelOptions, 'onProgress' | 'folderFingerprint'>

/** A model to be removed, or one version of it. */
export interface RemoveModelParameters extends Change, RemoveModelOptions {}

/** An alias to be removed. */
export interface AliasParameters extends Change, AliasOptions {}

/** What an alias is to mean from now on. */
export interface SetAliasParameters extends Change, SetAliasOptions {}

/** A tenant to be added or revoked. */
export interface TenantParameters extends Change {
  /** 1 to 256 characters, none of them a control character. */
  readonly name: string
}

/** An access to be added. */
export interface AddAccessParameters extends Change, AccessOptions {}

/** An access to be revoked. */
export interface RevokeAccessParameters extends Change {
  readonly id: number
}

/** What an operator did to a model that is loaded. */
export interface ResidencyParameters extends Change {
  readonly action: ResidencyAction
  /** The model as it was named, such as `digits@3`: 1 to 512 characters. */
  readonly model: string
  /** The function that was named. */
  readonly function?: string | null | undefined
  /** The tenant that was named. */
  readonly tenant?: string | null | undefined
}

/** A token to be checked. It is not logged, and no error tells it. */
export interface CheckAccessParameters {
  readonly token: string
}

/**
 * The administration of the embedded registry, as threads, HTTP routes and commands call it: each method takes one
 * plain object, and answers plain data; both can be sent between threads. Each change is one transaction together
 * with its line in the audit; what changes nothing writes no line.
 *
 * Whatever does not fit its bounds is refused with `INPUT_INVALID` and issues whose paths begin at the parameter
 * object. Whether the caller may administer is not asked here.
 */
export interface Administration {
  /** All models, in the order of their ids. */
  listModels(parameters: Readonly<Record<string, never>>): Promise<readonly RegisteredModel[]>
  /** One model. @throws {IsoplexError} `MODEL_NOT_FOUND` */
  showModel(parameters: ShowModelParameters): Promise<RegisteredModel>
  /**
   * Adds a model, or a new version of it.
   *
   * @throws {IsoplexError} `MODEL_FORBIDDEN` where a publisher may not, `ARTIFACT_BROKEN`, `STORAGE_FULL`.
   */
  addModel(parameters: AddModelParameters): Promise<AddedModel>
  /**
   * Removes a model with its aliases, or one version of it.
   *
   * @throws {IsoplexError} `MODEL_NOT_FOUND`, `INPUT_INVALID` where an alias names the version, or the model comes
   * from a folder.
   */
  removeModel(parameters: RemoveModelParameters): Promise<void>
  /**
   * Gives a model an alias, or an alias another meaning.
   *
   * @throws {IsoplexError} `MODEL_NOT_FOUND` for the model or a version that is not there.
   */
  setAlias(parameters: SetAliasParameters): Promise<RegisteredAlias>
  /** Removes an alias. @throws {IsoplexError} `MODEL_NOT_FOUND`, `ENTRY_NOT_FOUND` where there is no such alias. */
  removeAlias(parameters: AliasParameters): Promise<void>
  /** All tenants that were ever added, in the order of their names. */
  listTenants(parameters: Readonly<Record<string, never>>): Promise<readonly RegisteredTenant[]>
  /**
   * Adds a tenant. One that is there stays as it is; one that was revoked is taken in again, and its former accesses
   * stay revoked.
   */
  addTenant(parameters: TenantParameters): Promise<RegisteredTenant>
  /**
   * Revokes a tenant and all its accesses. One that is revoked stays as it is.
   *
   * @throws {IsoplexError} `ENTRY_NOT_FOUND`
   */
  revokeTenant(parameters: TenantParameters): Promise<RegisteredTenant>
  /** All accesses that were ever added, oldest first; never their tokens or the hashes of these. */
  listAccesses(parameters: Readonly<Record<string, never>>): Promise<readonly RegisteredAccess[]>
  /**
   * Adds an access, and gives its token: the only time that it is told.
   *
   * @throws {IsoplexError} `ENTRY_NOT_FOUND` where its tenant was not added, or was revoked.
   */
  addAccess(parameters: AddAccessParameters): Promise<CreatedAccess>
  /** Revokes an access. One that is revoked stays as it is. @throws {IsoplexError} `ENTRY_NOT_FOUND` */
  revokeAccess(parameters: RevokeAccessParameters): Promise<RegisteredAccess>
  /** What an access token gives; `null` where it is unknown, revoked or expired, or its tenant is revoked. */
  checkAccess(parameters: CheckAccessParameters): Promise<CheckedAccess | null>
  /** Writes into the audit what was done to a model that is loaded: the registry itself stays as it is. */
  noteResidency(parameters: ResidencyParameters): Promise<void>
  /** What was changed and by whom, newest first. */
  listAudit(parameters: AuditPage): Promise<readonly AuditEntry[]>
}

/** The administration as it is called where functions can be passed: adding a model tells how far it has come. */
export interface ReportingAdministration extends Administration {
  addModel(parameters: AddModelParameters & ProgressOptions): Promise<AddedModel>
}

/** The administration of a registry that is open here. */
export function createAdministration(registry: Registry): ReportingAdministration {
  return Object.freeze({
    listModels: () => registry.list(),
    showModel: ({ id }: ShowModelParameters) => registry.show(id),
    addModel: (parameters: AddModelParameters & ProgressOptions) => registry.add(parameters),
    removeModel: (parameters: RemoveModelParameters) => registry.remove(parameters),
    setAlias: (parameters: SetAliasParameters) => registry.setAlias(parameters),
    removeAlias: (parameters: AliasParameters) => registry.removeAlias(parameters),
    listTenants: () => registry.listTenants(),
    addTenant: (parameters: TenantParameters) => registry.addTenant(parameters),
    revokeTenant: (parameters: TenantParameters) => registry.revokeTenant(parameters),
    listAccesses: () => registry.listAccesses(),
    addAccess: (parameters: AddAccessParameters) => registry.addAccess(parameters),
    revokeAccess: (parameters: RevokeAccessParameters) => registry.revokeAccess(parameters),
    checkAccess: ({ token }: CheckAccessParameters) => registry.checkAccess(token),
    noteResidency: (parameters: ResidencyParameters) => registry.noteResidency(parameters),
    listAudit: (page: AuditPage) => registry.listAudit(page),
  })
}
