/** What a code means over HTTP, whether trying again may help, and its human title. */
export interface ErrorCodeFacts {
  readonly status: number
  readonly retryable: boolean
  readonly title: string
}

/**
 * The closed table of error codes. A code is stable API: it is never renamed or given another meaning.
 * Over HTTP an error is `application/problem+json` (RFC 9457) with the code's status and title.
 */
export const errorCodes = Object.freeze({
  REQUEST_MALFORMED: { status: 400, retryable: false, title: 'The request is malformed' },
  TOKEN_MISSING: { status: 401, retryable: false, title: 'A model token is required' },
  TOKEN_INVALID: { status: 401, retryable: false, title: 'The model token is not valid' },
  ORIGIN_REFUSED: { status: 403, retryable: false, title: 'The origin or host is not allowed' },
  MODEL_FORBIDDEN: { status: 403, retryable: false, title: 'The token gives no right to this model' },
  ACCESS_REQUIRED: { status: 401, retryable: false, title: 'An access token is required' },
  ACCESS_FORBIDDEN: { status: 403, retryable: false, title: 'The access token gives no right to this' },
  GRANT_INVALID: { status: 403, retryable: false, title: 'The link to this artifact is not valid' },
  ROUTE_NOT_FOUND: { status: 404, retryable: false, title: 'No such route' },
  MODEL_NOT_FOUND: { status: 404, retryable: false, title: 'No such model' },
  JOB_NOT_FOUND: { status: 404, retryable: false, title: 'No such job' },
  ENTRY_NOT_FOUND: { status: 404, retryable: false, title: 'No such entry in the registry' },
  METHOD_NOT_ALLOWED: { status: 405, retryable: false, title: 'Method not allowed' },
  UPLOAD_TIMEOUT: { status: 408, retryable: true, title: 'The request body took too long' },
  JOB_UNFINISHED: { status: 409, retryable: true, title: 'The job has no result yet' },
  JOB_ENDED: { status: 409, retryable: false, title: 'The job has ended without that' },
  LEASE_LOST: { status: 409, retryable: false, title: 'Another server goes on with this job' },
  BODY_TOO_LARGE: { status: 413, retryable: false, title: 'The request body is too large' },
  MEDIA_TYPE_UNSUPPORTED: { status: 415, retryable: false, title: 'Unsupported media type' },
  RANGE_UNSATISFIABLE: { status: 416, retryable: false, title: 'The range is outside of the artifact' },
  URL_REFUSED: { status: 422, retryable: false, title: 'The URL may not be fetched' },
  IDEMPOTENCY_MISMATCH: {
    status: 422,
    retryable: false,
    title: 'The idempotency key belongs to another request',
  },
  INPUT_INVALID: { status: 422, retryable: false, title: 'The input does not fit the schema' },
  TENSOR_MISMATCH: { status: 422, retryable: false, title: 'A tensor does not fit the model' },
  CANCELLED: { status: 499, retryable: false, title: 'The caller has gone' },
  INTERNAL: { status: 500, retryable: false, title: 'Internal error' },
  OUTPUT_INVALID: { status: 500, retryable: false, title: 'The function broke its output schema' },
  INFERENCE_FAILED: { status: 500, retryable: false, title: 'The model failed on this input' },
  STEP_FAILED: { status: 500, retryable: false, title: 'A step of the job failed' },
  JOB_CRASHED: { status: 500, retryable: false, title: 'The process of the job died each time' },
  PROGRESS_INVALID: { status: 500, retryable: false, title: 'The action reports impossible progress' },
  FUNCTION_BROKEN: { status: 500, retryable: false, title: 'The function could not be started' },
  CONFIG_INVALID: { status: 500, retryable: false, title: 'The configuration is not valid' },
  BUILD_FAILED: { status: 500, retryable: false, title: 'The function does not compile' },
  ROUTE_CONFLICT: { status: 500, retryable: false, title: 'Two files claim one route' },
  ARTIFACT_BROKEN: { status: 502, retryable: false, title: 'The model artifact is not acceptable' },
  BACKEND_UNAVAILABLE: { status: 502, retryable: true, title: 'The model backend does not answer' },
  BACKEND_BROKEN: { status: 502, retryable: false, title: 'The model backend answers nonsense' },
  FETCH_FAILED: { status: 502, retryable: true, title: 'A fetch from another server failed' },
  MODEL_BROKEN: { status: 502, retryable: false, title: 'The model could not be loaded' },
  SHARE_EXCEEDED: { status: 429, retryable: true, title: 'The caller has more than its share' },
  QUEUE_FULL: { status: 503, retryable: true, title: 'The server has no room for this request now' },
  DRAINING: { status: 503, retryable: true, title: 'The server is stopping' },
  ROOM_TAKEN: { status: 503, retryable: true, title: 'Every place for a model is pinned' },
  JOB_STORE_UNAVAILABLE: { status: 503, retryable: true, title: 'The store of the jobs is not to be had' },
  STORAGE_FULL: { status: 503, retryable: true, title: 'The disk is full' },
  PROVIDER_UNAVAILABLE: { status: 503, retryable: false, title: 'No such execution provider here' },
  QUARANTINED: { status: 503, retryable: true, title: 'Such requests have ended replicas lately' },
  REPLICA_CRASHED: { status: 503, retryable: true, title: 'The replica died while it worked on this' },
  DEVICE_LOST: { status: 503, retryable: true, title: 'What computes here is gone' },
  DEADLINE_EXCEEDED: { status: 504, retryable: true, title: 'The deadline has passed' },
  JOB_TOO_LARGE: { status: 507, retryable: false, title: 'The job leaves more than there is room for' },
  MODEL_TOO_LARGE: {
    status: 507,
    retryable: false,
    title: 'The model needs more memory than there is for it',
  },
} as const satisfies Record<string, ErrorCodeFacts>)

/** One of the stable codes. */
export type ErrorCode = keyof typeof errorCodes

/** Whether a value is one of the codes. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(errorCodes, value)
}

/** One place in an input or output that the schema refuses. `path` is a JSON pointer (RFC 6901). */
export interface SchemaIssue {
  readonly path: string
  readonly message: string
}

/** What each code carries besides its message. A code that is not named here carries nothing. */
export interface ErrorDetails {
  /** `refused`: the token is well made, and the backend does not take the access token that it carries. */
  TOKEN_INVALID: {
    readonly reason: 'malformed' | 'signature' | 'algorithm' | 'expired' | 'early' | 'claims' | 'refused'
  }
  /** What is not there: a tenant, an access, an alias. */
  ENTRY_NOT_FOUND: { readonly entry: string }
  /** `state` is what the job has ended as, `code` why. */
  JOB_ENDED: { readonly state: string; readonly code: string | null }
  STEP_FAILED: { readonly step: string }
  JOB_TOO_LARGE: { readonly limitBytes: number }
  JOB_STORE_UNAVAILABLE: { readonly retryAfterMs: number; readonly reason: 'unreachable' | 'taken' }
  RANGE_UNSATISFIABLE: { readonly sizeBytes: number }
  URL_REFUSED: {
    readonly reason:
      | 'malformed'
      | 'scheme'
      | 'credentials'
      | 'host'
      | 'address'
      | 'redirects'
      | 'too-large'
      | 'media-type'
  }
  /**
   * `encoding`: the reply is compressed although that was not asked for; `content`: it is not what it says it is. The
   * `status` is that of a reply that is no problem document, where a client asked.
   */
  FETCH_FAILED: {
    readonly reason: 'timeout' | 'connection' | 'status' | 'cut-off' | 'encoding' | 'content'
    readonly status?: number
  }
  BACKEND_UNAVAILABLE: { readonly retryAfterMs: number }
  METHOD_NOT_ALLOWED: { readonly allow: readonly string[] }
  MODEL_NOT_FOUND: { readonly model: string }
  MODEL_FORBIDDEN: { readonly model: string }
  BODY_TOO_LARGE: { readonly limitBytes: number }
  MEDIA_TYPE_UNSUPPORTED: { readonly accepted: readonly string[] }
  INPUT_INVALID: { readonly issues: readonly SchemaIssue[] }
  OUTPUT_INVALID: { readonly issues: readonly SchemaIssue[] }
  TENSOR_MISMATCH: { readonly tensor: string }
  BUILD_FAILED: { readonly file: string; readonly line: number | null }
  ROUTE_CONFLICT: { readonly files: readonly string[] }
  ARTIFACT_BROKEN: { readonly reason: string }
  MODEL_BROKEN: { readonly model: string }
  SHARE_EXCEEDED: { readonly retryAfterMs: number }
  QUEUE_FULL: { readonly retryAfterMs: number }
  QUARANTINED: { readonly retryAfterMs: number }
  MODEL_TOO_LARGE: { readonly model: string; readonly bytes: number; readonly limitBytes: number }
  DRAINING: { readonly retryAfterMs: number }
  PROVIDER_UNAVAILABLE: { readonly missing: readonly string[] }
}

/** The details of one code: `undefined` where the code carries nothing. */
export type DetailsOf<Code extends ErrorCode> = Code extends keyof ErrorDetails
  ? ErrorDetails[Code]
  : undefined
