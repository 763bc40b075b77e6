import { setTimeout as pause } from 'node:timers/promises'
import type { Credentials } from '../../auth/credentials.ts'
import type { CredentialSeals } from '../../auth/sealed-credential.ts'
import type { ModelInfo } from '../../define/context.ts'
import type {
  DeployableBuild,
  DeploymentFacts,
  ServeApplication,
  ServeApplicationId,
} from '../../define/deployment-facts.ts'
import { isIsoplexError } from '../../error/error.ts'
import type { TakenJob } from '../store.ts'
import type { ActionRights } from './action-host.ts'
import type { DeploymentDesk } from './deployment-desk.ts'
import type { JobModels } from './job-models.ts'
import { type Submitter, sealPurposeOf } from './submitter.ts'

/** What the rights of a job are found out from. */
export interface JobRightsOptions {
  readonly taken: Pick<TakenJob, 'job' | 'credential' | 'models'>
  /** The action's own models, which need no token. */
  readonly action: { readonly models: readonly string[] }
  readonly models: JobModels
  readonly deployments: DeploymentDesk
  readonly seals: CredentialSeals
}

const backendPauseMs = 1_000

/** The models and deployments of one job, by the right of whoever submitted it. */
export class JobRights implements ActionRights {
  /** The digests of the models that were made ready. */
  readonly digests = new Set<string>()
  readonly #options: JobRightsOptions

  constructor(options: JobRightsOptions) {
    this.#options = options
  }

  /** The model that the token names; `null` without one, and where the credential can no longer be read. */
  get modelId(): string | null {
    try {
      return this.#credentials()?.modelId ?? null
    } catch {
      return null
    }
  }

  async describeModel(modelId: string): Promise<Readonly<Record<string, unknown>>> {
    return this.#options.models.describe(this.#submitter(), modelId)
  }

  async prepareModel(modelId: string): Promise<ModelInfo> {
    const { digest, info } = await this.#options.models.prepare(this.#submitter(), modelId)
    this.digests.add(digest)
    return info
  }

  async describeDeployment(): Promise<DeploymentFacts> {
    return this.#options.deployments.describe()
  }

  async prepareBundle(): Promise<DeployableBuild> {
    return this.#options.deployments.prepareBundle()
  }

  async registerApplication(application: ServeApplication): Promise<ServeApplicationId | null> {
    const { deployments, taken } = this.#options
    return deployments.register(application, {
      jobId: taken.job.id,
      action: taken.job.function,
      credentials: this.#credentials(),
    })
  }

  /**
   * Makes sure that the submitter still has a right to each model among the parameters. A backend that does not answer
   * is asked again and again: that is no reason for a job to fail.
   *
   * @throws {IsoplexError} `TOKEN_INVALID` where the credential can no longer be read, `MODEL_FORBIDDEN`,
   * `MODEL_NOT_FOUND` and others; and the signal's reason.
   */
  async assert(signal: AbortSignal): Promise<void> {
    // Also without models: what was submitted with a token is not done without one.
    this.#submitter()
    signal.throwIfAborted()
    const { promise: aborted, reject } = Promise.withResolvers<never>()
    const abort = (): void => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    try {
      for (const modelId of this.#options.taken.models) {
        // A backend may take its time; whoever ends the job need not wait for it.
        await Promise.race([this.#assertOne(modelId, signal), aborted])
      }
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  async #assertOne(modelId: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        await this.describeModel(modelId)
        return
      } catch (error) {
        if (!isIsoplexError(error) || error.code !== 'BACKEND_UNAVAILABLE') throw error
      }
      await pause(backendPauseMs, undefined, { signal })
    }
  }

  #submitter(): Submitter {
    const { taken, action } = this.#options
    return { credentials: this.#credentials(), models: action.models, stickyKey: taken.job.id }
  }

  #credentials(): Credentials | null {
    const { taken, seals } = this.#options
    return taken.credential === null ? null : seals.open(taken.credential, sealPurposeOf(taken.job))
  }
}
