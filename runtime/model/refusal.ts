import { IsoplexError } from '../error/error.ts'
import { modelForbidden, modelNotFound, selectedNotFound } from './model-id.ts'
import type { ModelName } from './model-name.ts'
import type { Refusal } from './rights.ts'

/** The error of a caller whom the rule of rights refuses. It tells nothing of what there is. */
export function refusalOf(refusal: Refusal, modelId: string): IsoplexError {
  switch (refusal) {
    case 'token':
      return tokenRefused(
        'The registry does not take this access token, or not any more; ask for another one',
      )
    case 'unproven':
      return tokenRefused(
        'The token has to carry an access token of the registry, since no key proves what it says',
      )
    case 'tenant':
      return modelForbidden(
        modelId,
        'The token is not good for the tenant that it names; ask for another one.',
      )
    case 'model':
      return modelForbidden(modelId, 'The token gives no right to this model; ask for one that does.')
  }
}

/** The error of a name that selects nothing. @param name what it says, `null` where there is no such model */
export function nothingSelected(modelId: string, name: ModelName | null): IsoplexError<'MODEL_NOT_FOUND'> {
  switch (name?.selector.kind) {
    case 'version':
      return selectedNotFound(name.id, name.selector.version)
    case 'alias':
      return selectedNotFound(name.id, name.selector.alias)
    default:
      return modelNotFound(modelId)
  }
}

function tokenRefused(text: string): IsoplexError<'TOKEN_INVALID'> {
  return new IsoplexError('TOKEN_INVALID', `${text}.`, { details: { reason: 'refused' } })
}
