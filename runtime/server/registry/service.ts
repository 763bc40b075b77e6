import type { CheckedAccess } from '../../model/access-table.ts'
import type { ApplicationOptions, RegisteredApplication } from '../../model/application-table.ts'
import type { FoundModel, ModelQuestion } from '../../model/backend.ts'
import type { RegisteredModel } from '../../model/registered-model.ts'
import type { AddedModel } from '../../model/registration.ts'
import type { ArtifactFile } from '../../model/stored-artifact.ts'
import type { Change } from '../../model/transaction.ts'
import type { UploadChunk, UploadName, UploadState } from '../../model/upload.ts'
import type { BodyReading } from '../json-body.ts'

/** A model that is to be made of an upload. */
export interface UploadedModel {
  readonly upload: UploadName
  /** Who adds it, for the audit. */
  readonly actor: string
  readonly id: string
  readonly fields: Readonly<Record<string, unknown>>
  /** As `AddModelOptions.tenant`. */
  readonly tenant?: string | null
  /** The access that publishes; `null` where it may administer, and so may do all. */
  readonly publisher: CheckedAccess | null
}

/** What the routes of the registry ask of it. All of it is done off the gateway's loop. */
export interface RegistryService {
  checkAccess(parameters: { readonly token: string }): Promise<CheckedAccess | null>
  listModels(parameters: Readonly<Record<string, never>>): Promise<readonly RegisteredModel[]>
  /** As `Backend.find`. */
  find(question: ModelQuestion): Promise<FoundModel>
  /** Where an artifact lies; `null` where it does not. `digest` is 64 hexadecimal digits. */
  findArtifact(digest: string): Promise<ArtifactFile | null>
  /** As `Uploads.begin`; the buffer in which the chunk lies is given away. */
  beginUpload(accessId: number, chunk: UploadChunk, buffer: ArrayBuffer): Promise<UploadState>
  /** As `Uploads.append`; the buffer in which the chunk lies is given away. */
  appendUpload(name: UploadName, chunk: UploadChunk, buffer: ArrayBuffer): Promise<UploadState>
  /** As `Uploads.finish`. */
  finishUpload(name: UploadName, md5: string): Promise<UploadState>
  /** Registers a finished upload. */
  registerUpload(model: UploadedModel): Promise<AddedModel>
  /** As `Registry.registerApplication`. */
  registerApplication(application: ApplicationOptions & Change): Promise<RegisteredApplication>
  /** As `Registry.listApplications`. */
  listApplications(of: { readonly tenant: string | null } | 'all'): Promise<readonly RegisteredApplication[]>
}

/** What the routes of the registry share. */
export interface RegistryOptions {
  readonly registry: RegistryService
  readonly body: BodyReading
  /** The origin by which a client reaches this server. */
  originOf(request: Request): string
  /** The URL of an artifact, good for a while and for whoever has it. */
  artifactUrl(request: Request, digest: string): string
}
