import type { Credentials } from '../../auth/credentials.ts'
import type {
  DeployableBuild,
  DeploymentFacts,
  ServeApplication,
  ServeApplicationId,
} from '../../define/deployment-facts.ts'

/** For whom an application is registered. */
export interface Registrar {
  readonly jobId: string
  /** The name of the action. */
  readonly action: string
  /** What the token of whoever submitted the job says; `null` without one. */
  readonly credentials: Credentials | null
}

/** What the server does for deployment actions: all that needs the project, or a secret, which their processes lack. */
export interface DeploymentDesk {
  /** What the plugin is, and where it is deployed. @throws {IsoplexError} `CONFIG_INVALID` */
  describe(): Promise<DeploymentFacts>
  /** Builds the plugin for the cluster. @throws {IsoplexError} `BUILD_FAILED` */
  prepareBundle(): Promise<DeployableBuild>
  /**
   * Registers an application at the backend; `null` where there is none to register at.
   *
   * @throws {IsoplexError} why it is not taken, such as `ACCESS_FORBIDDEN` or `FETCH_FAILED`.
   */
  register(application: ServeApplication, registrar: Registrar): Promise<ServeApplicationId | null>
}
