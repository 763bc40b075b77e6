import type { FunctionLog } from '../../define/context.ts'
import type { ReportingAdministration } from '../../model/administration.ts'
import type { BodyReading } from '../json-body.ts'
import type { RegistryService } from '../registry/service.ts'

/** Who administers. */
export interface Administrator {
  /** By what name the audit knows them. */
  readonly actor: string
  /** The access by which they come; `null` for whoever is at the machine itself. */
  readonly accessId: number | null
}

/** Bytes on their way into the store of this host. */
export interface Transfer {
  /** Where they come from: a host, or a word for what is done; no URL, since that may hold a secret. */
  readonly origin: string
  readonly kind: string
  readonly doneBytes: number
  readonly totalBytes: number | null
  readonly startedAtMs: number
}

/** What the administration is served with. */
export interface AdministrationRoutesOptions {
  readonly administration: ReportingAdministration
  readonly registerUpload: RegistryService['registerUpload']
  /** What is on its way just now. @default nothing is told of it */
  readonly transfers?: () => Promise<readonly Transfer[]>
  /** Finds out who sends a request. @throws {IsoplexError} `ACCESS_REQUIRED`, `ACCESS_FORBIDDEN` */
  readonly identify: (request: Request) => Promise<Administrator>
  readonly body: BodyReading
  readonly log: FunctionLog
}
