import type { ModelRecord } from '../../model/backend.ts'

/** A model as clients of Synapse read it; what else its record says stands beside. */
export interface ModelReply {
  /** A number where it is written as one, as Synapse has them. */
  readonly id: string | number
  readonly name: string
  readonly version: string | null
  /** Where its artifact is fetched from without any header, for a while. */
  readonly file: string
  readonly checksum: string
  readonly size: number | null
  readonly tenant: string | null
  readonly [field: string]: unknown
}

/** An artifact of the store, as a reply names it. */
export interface RepliedModel {
  readonly record: Pick<ModelRecord, 'id' | 'version' | 'fields'>
  readonly digest: string
  readonly sizeBytes: number | null
  readonly tenant: string | null
  /** The URL that its artifact is fetched from. */
  readonly file: string
}

/** Writes a model. Its fields cannot take the place of what is compulsory. */
export function modelReply({ record, digest, sizeBytes, tenant, file }: RepliedModel): ModelReply {
  return {
    ...record.fields,
    id: wireId(record.id),
    name: record.id,
    version: record.version,
    file,
    checksum: `sha256:${digest}`,
    size: sizeBytes,
    tenant,
  }
}

/** Clients of Synapse take whole numbers for ids; other ids stay text. */
function wireId(id: string): string | number {
  return /^(?:0|[1-9]\d{0,14})$/.test(id) ? Number(id) : id
}
