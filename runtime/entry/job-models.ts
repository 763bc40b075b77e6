import type { Credentials } from '../auth/credentials.ts'
import { withModel } from '../auth/credentials.ts'
import { IsoplexError } from '../error/error.ts'
import type { JobModels } from '../job/crew/job-models.ts'
import type { Submitter } from '../job/crew/submitter.ts'
import type { ModelAccess } from '../server/model-access.ts'

/** What the models of jobs are found by. */
export interface JobModelsOptions {
  readonly access: Pick<ModelAccess, 'grant' | 'grantDefault' | 'describe'>
  /** Whether jobs that were submitted without a token may use any model: where somebody develops on this machine. */
  readonly trusting: boolean
}

/**
 * Makes the models of jobs. A token with an access token of the backend gives what the backend grants its holder; any
 * other gives the model that it names, and no token those that the action lists.
 */
export function createJobModels({ access, trusting }: JobModelsOptions): JobModels {
  const assertMay = ({ credentials, models }: Submitter, modelId: string): void => {
    if (credentials === null ? trusting || models.includes(modelId) : reaches(credentials, modelId)) return
    throw forbidden(credentials, modelId)
  }
  return Object.freeze<JobModels>({
    describe: async (submitter, modelId) => {
      assertMay(submitter, modelId)
      const { credentials, stickyKey } = submitter
      const { id, version, fields } = await access.describe({ modelId, credentials }, stickyKey)
      return { ...fields, id, version }
    },
    prepare: async (submitter, modelId) => {
      assertMay(submitter, modelId)
      const { credentials, stickyKey } = submitter
      const { model } = await (credentials === null
        ? access.grantDefault(modelId, stickyKey)
        : access.grant(withModel(credentials, modelId), stickyKey))
      return model
    },
  })
}

function reaches({ accessToken, modelId: named }: Credentials, modelId: string): boolean {
  return accessToken !== null || named === modelId
}

function forbidden(credentials: Credentials | null, modelId: string): IsoplexError<'MODEL_FORBIDDEN'> {
  const why =
    credentials === null
      ? 'no token was sent with the job, and the action does not list the model in "models"'
      : 'the token of the job names another one, and carries no access token that could give a right to more'
  return new IsoplexError('MODEL_FORBIDDEN', `The job may not use the model ${modelId}: ${why}.`, {
    details: { model: modelId },
  })
}
