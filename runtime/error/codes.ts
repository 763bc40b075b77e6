/** What a code means over HTTP, and whether trying again may help. */
export interface ErrorCodeFacts {
  readonly status: number
  readonly retryable: boolean
}

/**
 * The closed table of error codes. A code is stable API: it is never renamed or given another meaning.
 * Over HTTP an error is `application/problem+json` (RFC 9457) with the code's status, and
 * the title that `titles.ts` has for it.
 */
export const errorCodes = Object.freeze({
  REQUEST_MALFORMED: { status: 400, retryable: false },
  TOKEN_MISSING: { status: 401, retryable: false },
  TOKEN_INVALID: { status: 401, retryable: false },
  ORIGIN_REFUSED: { status: 403, retryable: false },
  MODEL_FORBIDDEN: { status: 403, retryable: false },
  ACCESS_REQUIRED: { status: 401, retryable: false },
  ACCESS_FORBIDDEN: { status: 403, retryable: false },
  GRANT_INVALID: { status: 403, retryable: false },
  ROUTE_NOT_FOUND: { status: 404, retryable: false },
  MODEL_NOT_FOUND: { status: 404, retryable: false },
  JOB_NOT_FOUND: { status: 404, retryable: false },
  ENTRY_NOT_FOUND: { status: 404, retryable: false },
  DEPLOYMENT_NOT_FOUND: { status: 404, retryable: false },
  METHOD_NOT_ALLOWED: { status: 405, retryable: false },
  UPLOAD_TIMEOUT: { status: 408, retryable: true },
  JOB_UNFINISHED: { status: 409, retryable: true },
  JOB_ENDED: { status: 409, retryable: false },
  LEASE_LOST: { status: 409, retryable: false },
  ROUTE_TAKEN: { status: 409, retryable: false },
  BODY_TOO_LARGE: { status: 413, retryable: false },
  MEDIA_TYPE_UNSUPPORTED: { status: 415, retryable: false },
  RANGE_UNSATISFIABLE: { status: 416, retryable: false },
  URL_REFUSED: { status: 422, retryable: false },
  IDEMPOTENCY_MISMATCH: { status: 422, retryable: false },
  INPUT_INVALID: { status: 422, retryable: false },
  TENSOR_MISMATCH: { status: 422, retryable: false },
  CANCELLED: { status: 499, retryable: false },
  INTERNAL: { status: 500, retryable: false },
  OUTPUT_INVALID: { status: 500, retryable: false },
  INFERENCE_FAILED: { status: 500, retryable: false },
  STEP_FAILED: { status: 500, retryable: false },
  JOB_CRASHED: { status: 500, retryable: false },
  PROGRESS_INVALID: { status: 500, retryable: false },
  FUNCTION_BROKEN: { status: 500, retryable: false },
  FUNCTION_NOT_FOUND: { status: 500, retryable: false },
  CALL_TOO_DEEP: { status: 508, retryable: false },
  CONFIG_INVALID: { status: 500, retryable: false },
  BUILD_FAILED: { status: 500, retryable: false },
  ROUTE_CONFLICT: { status: 500, retryable: false },
  ARTIFACT_BROKEN: { status: 502, retryable: false },
  BACKEND_UNAVAILABLE: { status: 502, retryable: true },
  BACKEND_BROKEN: { status: 502, retryable: false },
  FETCH_FAILED: { status: 502, retryable: true },
  CLUSTER_UNREACHABLE: { status: 502, retryable: true },
  CLUSTER_UNFIT: { status: 502, retryable: false },
  DEPLOY_FAILED: { status: 502, retryable: false },
  MODEL_BROKEN: { status: 502, retryable: false },
  SHARE_EXCEEDED: { status: 429, retryable: true },
  QUEUE_FULL: { status: 503, retryable: true },
  DRAINING: { status: 503, retryable: true },
  ROOM_TAKEN: { status: 503, retryable: true },
  RESOURCES_MISSING: { status: 503, retryable: true },
  REPLICAS_MISSING: { status: 503, retryable: true },
  JOB_STORE_UNAVAILABLE: { status: 503, retryable: true },
  STORAGE_FULL: { status: 503, retryable: true },
  PROVIDER_UNAVAILABLE: { status: 503, retryable: false },
  QUARANTINED: { status: 503, retryable: true },
  REPLICA_CRASHED: { status: 503, retryable: true },
  DEVICE_LOST: { status: 503, retryable: true },
  DEADLINE_EXCEEDED: { status: 504, retryable: true },
  JOB_TOO_LARGE: { status: 507, retryable: false },
  MODEL_TOO_LARGE: { status: 507, retryable: false },
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
  DEPLOYMENT_NOT_FOUND: { readonly deployment: string }
  FUNCTION_NOT_FOUND: { readonly function: string }
  /** The functions that wait for each other, outermost first. */
  CALL_TOO_DEEP: { readonly chain: readonly string[] }
  /** `owner` is the application, or the deployment, that has the route. */
  ROUTE_TAKEN: { readonly route: string; readonly owner: string }
  /** The last lines of the log of what did not come up; empty where there is none. */
  DEPLOY_FAILED: { readonly log: string }
  RESOURCES_MISSING: { readonly resources: readonly string[] }
  /** `state` is what the job has ended as, `code` why. */
  JOB_ENDED: { readonly state: string; readonly code: string | null }
  /** `cause` is the code of what the step threw; `null` where that is no error of ours. */
  STEP_FAILED: { readonly step: string; readonly cause: string | null }
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
