import type { SchemaIssue } from '../../runtime/error/codes.ts'
import { type ErrorCode, type ErrorDetails, IsoplexError, isIsoplexError } from '../../runtime/index.ts'
import { assertType, type Equal } from './equality.ts'

// A code that carries details cannot be thrown without them: whoever catches it relies on them.
const invalid = new IsoplexError('INPUT_INVALID', 'No.', { details: { issues: [] } })
assertType<Equal<typeof invalid.code, 'INPUT_INVALID'>>()
assertType<Equal<typeof invalid.details, { readonly issues: readonly SchemaIssue[] }>>()

// @ts-expect-error the issues are missing
new IsoplexError('INPUT_INVALID', 'No.')

// @ts-expect-error details of another code
new IsoplexError('INPUT_INVALID', 'No.', { details: { limitBytes: 1 } })

new IsoplexError('TOKEN_INVALID', 'No.', {
  // @ts-expect-error the reasons are a closed list
  details: { reason: 'bored' },
})

// A code without details takes none, so that nothing is carried that nobody reads.
const cancelled = new IsoplexError('CANCELLED', 'Gone.')
assertType<Equal<typeof cancelled.details, undefined>>()
new IsoplexError('CANCELLED', 'Gone.', { cause: new Error('why') })
// @ts-expect-error this code carries nothing
new IsoplexError('CANCELLED', 'Gone.', { details: { limitBytes: 1 } })

// @ts-expect-error a code that is not in the table
new IsoplexError('TEAPOT', 'No.')

// @ts-expect-error an error does not change once it is made
invalid.details.issues = []

// A caught value narrows by its code, so that details need no cast.
export function describe(error: unknown): string {
  // @ts-expect-error nothing is known of what was caught
  error.code
  if (!isIsoplexError(error)) return 'unknown'
  assertType<Equal<typeof error.code, ErrorCode>>()
  switch (error.code) {
    case 'INPUT_INVALID':
      assertType<Equal<typeof error.details, ErrorDetails['INPUT_INVALID']>>()
      return error.details.issues.map(({ path }) => path).join()
    case 'QUEUE_FULL':
      assertType<Equal<typeof error.details, { readonly retryAfterMs: number }>>()
      return String(error.details.retryAfterMs)
    case 'CANCELLED':
      assertType<Equal<typeof error.details, undefined>>()
      return 'gone'
    // @ts-expect-error a case that can never be met
    case 'TEAPOT':
      return 'never'
    default:
      return error.message
  }
}

// The codes with details, listed here as well: a new one has to be thought of twice.
assertType<
  Equal<
    keyof ErrorDetails,
    | 'TOKEN_INVALID'
    | 'DEPLOYMENT_NOT_FOUND'
    | 'FUNCTION_NOT_FOUND'
    | 'CALL_TOO_DEEP'
    | 'ROUTE_TAKEN'
    | 'DEPLOY_FAILED'
    | 'RESOURCES_MISSING'
    | 'JOB_ENDED'
    | 'STEP_FAILED'
    | 'JOB_TOO_LARGE'
    | 'JOB_STORE_UNAVAILABLE'
    | 'ENTRY_NOT_FOUND'
    | 'RANGE_UNSATISFIABLE'
    | 'URL_REFUSED'
    | 'FETCH_FAILED'
    | 'SHARE_EXCEEDED'
    | 'QUARANTINED'
    | 'MODEL_TOO_LARGE'
    | 'BACKEND_UNAVAILABLE'
    | 'METHOD_NOT_ALLOWED'
    | 'MODEL_NOT_FOUND'
    | 'MODEL_FORBIDDEN'
    | 'BODY_TOO_LARGE'
    | 'MEDIA_TYPE_UNSUPPORTED'
    | 'INPUT_INVALID'
    | 'OUTPUT_INVALID'
    | 'TENSOR_MISMATCH'
    | 'BUILD_FAILED'
    | 'ROUTE_CONFLICT'
    | 'ARTIFACT_BROKEN'
    | 'MODEL_BROKEN'
    | 'QUEUE_FULL'
    | 'DRAINING'
    | 'PROVIDER_UNAVAILABLE'
  >
>()
