import { join } from 'node:path'
import {
  type AccessOptions,
  addAccess,
  type CheckedAccess,
  type CreatedAccess,
  listAccesses,
  type RegisteredAccess,
  revokeAccess,
} from './access-table.ts'
import type { ResidencyParameters } from './administration.ts'
import { type AliasOptions, removeAlias, type SetAliasOptions, setAlias } from './alias-table.ts'
import {
  type ApplicationOptions,
  listApplications,
  type RegisteredApplication,
  registerApplication,
} from './application-table.ts'
import type { ArtifactStore } from './artifact-store.ts'
import { type AuditEntry, type AuditPage, listAuditEntries } from './audit-table.ts'
import type { Backend, FoundModel, ModelQuestion, WeightedRecord } from './backend.ts'
import { readFolderFields } from './folder-fields.ts'
import { assertModelId } from './model-id.ts'
import { parseModelName } from './model-name.ts'
import { listModels, showModel } from './model-table.ts'
import { readQuestionFacts, type SelectedVersion } from './question-facts.ts'
import { nothingSelected, refusalOf } from './refusal.ts'
import type { RegisteredAlias, RegisteredModel } from './registered-model.ts'
import {
  type AddedModel,
  type AddModelOptions,
  assertAddModelOptions,
  type DigestRow,
  register,
} from './registration.ts'
import { openRegistryDatabase, type RegistryDatabase } from './registry-database.ts'
import { type RemoveModelOptions, removeFolderModel, removeModel } from './removal.ts'
import { confirmCaller, counts, judge } from './rights.ts'
import { addTenant, listTenants, type RegisteredTenant, revokeTenant } from './tenant-table.ts'
import { type Change, type Transaction, transact } from './transaction.ts'

/** Where a registry lies and where its artifacts are. */
export interface RegistryOptions {
  /** The folder of `registry.sqlite`. It must exist, and not be on a network file system. */
  readonly directory: string
  readonly store: ArtifactStore
  /** The clock, in milliseconds since 1970. @default Date.now */
  readonly now?: () => number
}

/**
 * Opens the embedded registry: models by their ids with versions and aliases, tenants, and accesses. Any number of
 * processes may have it open.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where the file is no registry or one of a newer isoplex, `STORAGE_FULL`.
 */
export async function openRegistry({ directory, store, now = Date.now }: RegistryOptions): Promise<Registry> {
  return new Registry(await openRegistryDatabase(join(directory, 'registry.sqlite')), store, now)
}

/**
 * The embedded registry. Made by {@link openRegistry}; it is to be closed. Each change takes effect together with
 * its line in the audit, whose `actor` is whatever tells who makes it, in 1 to 256 characters.
 */
export class Registry implements Backend {
  readonly name = 'embedded'
  readonly tenantScoped = false
  readonly #database: RegistryDatabase
  readonly #store: ArtifactStore
  readonly #now: () => number

  constructor(database: RegistryDatabase, store: ArtifactStore, now: () => number) {
    this.#database = database
    this.#store = store
    this.#now = now
  }

  /**
   * Finds the versions of a model that are to be served, if the rule of rights gives it to the caller: the newest of
   * `digits`, that one of `digits@3`, those of the alias of `digits@prod`. An id means the same for every tenant.
   *
   * @throws {IsoplexError} `TOKEN_INVALID` with the reason `refused`, `MODEL_FORBIDDEN`, `MODEL_NOT_FOUND`.
   */
  async find(question: ModelQuestion): Promise<FoundModel> {
    const name = parseModelName(question.modelId)
    const { caller, model, versions } = await readQuestionFacts(
      this.#database.reading,
      question,
      name,
      this.#now(),
    )
    const verdict = judge(caller, { id: name?.id ?? question.modelId, owner: model?.owner ?? null })
    if (!verdict.granted) throw refusalOf(verdict.refusal, question.modelId)
    if (name === null || versions.length === 0) throw nothingSelected(question.modelId, model && name)
    const { id } = name
    return Object.freeze({
      tenant: verdict.tenant,
      versions: Object.freeze(versions.map((version) => toWeightedRecord(id, version))),
    })
  }

  /**
   * Checks a caller whom no model is asked for, and gives the tenant that is confirmed.
   *
   * @throws {IsoplexError} `TOKEN_INVALID` with the reason `refused`, `MODEL_FORBIDDEN` for the tenant.
   */
  async confirm(question: ModelQuestion): Promise<string | null> {
    const { caller } = await readQuestionFacts(this.#database.reading, question, null, this.#now())
    const verdict = confirmCaller(caller)
    if (!verdict.granted) throw refusalOf(verdict.refusal, question.modelId)
    return verdict.tenant
  }

  /** All models, in the order of their ids. */
  list(): Promise<readonly RegisteredModel[]> {
    return listModels(this.#database.reading)
  }

  /**
   * One model with all its versions.
   *
   * @throws {IsoplexError} `MODEL_NOT_FOUND`
   */
  show(id: string): Promise<RegisteredModel> {
    return showModel(this.#database.reading, id)
  }

  /**
   * Registers a model, or a new version of it; the one that was added last is the one that is served. Adding
   * again what the newest version is already, with the same fields, makes no new version. What a folder that is added
   * says in its `isoplex.json` are fields as well, where the options do not say otherwise.
   *
   * A model that was added by hand takes the id over from a model folder of that name, and keeps it: adding the
   * folder's then changes nothing. Of a model from a folder the newest two versions are kept, and those that an
   * alias names; of one added by hand all.
   *
   * @throws {IsoplexError} `INPUT_INVALID` at a wrong id or source, `MODEL_FORBIDDEN` where a publisher may not,
   * `ARTIFACT_BROKEN` with the reason, `STORAGE_FULL`.
   */
  async add(options: AddModelOptions): Promise<AddedModel> {
    assertModelId(options.id)
    assertAddModelOptions(options)
    const folder = await readFolderFields(options.source)
    const fields = { ...folder.fields, ...options.fields }
    const artifact = await this.#store.stage(folder.model?.path ?? options.source, options)
    try {
      const { added, dropped } = await this.#change(options.actor, (transaction) =>
        register(transaction, artifact, { ...options, fields }),
      )
      await this.#prune(dropped)
      return added
    } finally {
      await artifact.discard()
    }
  }

  /**
   * Removes a model with its aliases, or one version of it, and the artifacts that no model names any more. Whoever
   * has it loaded keeps it until it is unloaded. Its version numbers are not given again.
   *
   * @throws {IsoplexError} `MODEL_NOT_FOUND`, `INPUT_INVALID` where an alias names the version, or the model comes
   * from a folder.
   */
  async remove({ actor, ...options }: RemoveModelOptions & Change): Promise<void> {
    await this.#prune(await this.#change(actor, (transaction) => removeModel(transaction, options)))
  }

  /** Removes a model whose folder is gone. Gives `false`, and leaves it, where it was added by hand meanwhile. */
  async removeFolderModel({ actor, id }: Change & { readonly id: string }): Promise<boolean> {
    const dropped = await this.#change(actor, (transaction) => removeFolderModel(transaction, id))
    await this.#prune(dropped)
    return dropped.length > 0
  }

  /**
   * Gives a model an alias, or an alias another meaning.
   *
   * @throws {IsoplexError} `INPUT_INVALID`, `MODEL_NOT_FOUND` for the model or a version that is not there.
   */
  setAlias({ actor, ...options }: SetAliasOptions & Change): Promise<RegisteredAlias> {
    return this.#change(actor, (transaction) => setAlias(transaction, options))
  }

  /** Removes an alias. @throws {IsoplexError} `INPUT_INVALID`, `MODEL_NOT_FOUND`, `ENTRY_NOT_FOUND`. */
  removeAlias({ actor, ...options }: AliasOptions & Change): Promise<void> {
    return this.#change(actor, (transaction) => removeAlias(transaction, options))
  }

  /** All tenants that were ever added, in the order of their names. */
  listTenants(): Promise<readonly RegisteredTenant[]> {
    return listTenants(this.#database.reading)
  }

  /** Adds a tenant; one that was revoked is taken in again, and its former accesses stay revoked. */
  addTenant({ actor, name }: Change & { readonly name: string }): Promise<RegisteredTenant> {
    return this.#change(actor, (transaction) => addTenant(transaction, name))
  }

  /** Revokes a tenant and all its accesses. @throws {IsoplexError} `INPUT_INVALID`, `ENTRY_NOT_FOUND`. */
  revokeTenant({ actor, name }: Change & { readonly name: string }): Promise<RegisteredTenant> {
    return this.#change(actor, (transaction) => revokeTenant(transaction, name))
  }

  /** All accesses that were ever added, oldest first, without tokens. */
  listAccesses(): Promise<readonly RegisteredAccess[]> {
    return listAccesses(this.#database.reading)
  }

  /**
   * Adds an access, and gives its token: the only time that it is told.
   *
   * @throws {IsoplexError} `INPUT_INVALID`, `ENTRY_NOT_FOUND` where its tenant was not added, or was revoked.
   */
  addAccess({ actor, ...options }: AccessOptions & Change): Promise<CreatedAccess> {
    return this.#change(actor, (transaction) => addAccess(transaction, options))
  }

  /** Revokes an access. @throws {IsoplexError} `INPUT_INVALID`, `ENTRY_NOT_FOUND`. */
  revokeAccess({ actor, id }: Change & { readonly id: number }): Promise<RegisteredAccess> {
    return this.#change(actor, (transaction) => revokeAccess(transaction, id))
  }

  /** Registers a deployed application, or what has become of it. @throws {IsoplexError} `INPUT_INVALID` */
  registerApplication({ actor, ...options }: ApplicationOptions & Change): Promise<RegisteredApplication> {
    return this.#change(actor, (transaction) => registerApplication(transaction, options))
  }

  /** The registered applications of a tenant, or of all. */
  listApplications(
    of: { readonly tenant: string | null } | 'all',
  ): Promise<readonly RegisteredApplication[]> {
    return listApplications(this.#database.reading, of)
  }

  /** What an access token gives its bearer; `null` where it does not count. */
  async checkAccess(token: string): Promise<CheckedAccess | null> {
    const nowMs = this.#now()
    const bearer = { tenant: null, accessToken: token, proven: false }
    const { caller } = await readQuestionFacts(this.#database.reading, bearer, null, nowMs)
    if (typeof caller.access === 'string' || !counts(caller.access, nowMs)) return null
    const { id, tenant, models, rights } = caller.access
    return Object.freeze({ id, tenant, models, rights })
  }

  /** What was changed and by whom, newest first. @throws {IsoplexError} `INPUT_INVALID` */
  listAudit(page: AuditPage): Promise<readonly AuditEntry[]> {
    return listAuditEntries(this.#database.reading, page)
  }

  /** Writes into the audit what was done to a model that is loaded; it changes nothing else. */
  noteResidency({ actor, action, model, ...details }: ResidencyParameters): Promise<void> {
    const given = Object.entries(details).filter(([, value]) => value !== null && value !== undefined)
    return this.#change(actor, ({ note }) => note(action, model, Object.fromEntries(given)))
  }

  /** Closes the database. */
  async close(): Promise<void> {
    await this.#database.close()
  }

  #change<Result>(actor: string, work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    return transact(this.#database, { actor, nowMs: this.#now() }, work)
  }

  /** Removes artifacts that are named no more. The transaction keeps others from naming them meanwhile. */
  async #prune(dropped: readonly DigestRow[]): Promise<void> {
    for (const { digest } of dropped) {
      await this.#database.write(async (sql) => {
        const [named] = await sql`SELECT 1 FROM versions WHERE digest = ${digest} LIMIT 1`
        if (named === undefined) await this.#store.remove(digest)
      })
    }
  }
}

function toWeightedRecord(id: string, selected: SelectedVersion): WeightedRecord {
  const { version, digest, sizeBytes, fields, weight } = selected
  const artifact = Object.freeze({ digest, url: null, checksum: null, sizeBytes, stamp: digest })
  return Object.freeze({ weight, record: Object.freeze({ id, version: String(version), artifact, fields }) })
}
