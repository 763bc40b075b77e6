import type { FunctionLog } from '../../define/context.ts'
import type { ReportingAdministration } from '../../model/administration.ts'
import type { StoreKeeping } from '../../model/store-keeping.ts'
import type { DeploymentControl } from '../../replica/deployment-report.ts'
import type { BodyReading } from '../json-body.ts'
import type { RegistryService } from '../registry/service.ts'
import type { ModelPlacement } from '../residency/model-placement.ts'

/** Who administers. */
export interface Administrator {
  /** By what name the audit knows them. */
  readonly actor: string
  /** The access by which they come; `null` for whoever is at the machine itself. */
  readonly accessId: number | null
}

/** What the administration is served with. */
export interface AdministrationRoutesOptions {
  readonly administration: ReportingAdministration
  readonly registerUpload: RegistryService['registerUpload']
  readonly store: StoreKeeping
  readonly placement: Pick<ModelPlacement, 'report' | 'load' | 'unload' | 'unpin'>
  readonly deployments: DeploymentControl
  /** Where functions are called, from this machine. */
  readonly urlOf: () => URL
  /** Finds out who sends a request. @throws {IsoplexError} `ACCESS_REQUIRED`, `ACCESS_FORBIDDEN` */
  readonly identify: (request: Request) => Promise<Administrator>
  readonly body: BodyReading
  readonly log: FunctionLog
}
