import { expect, it } from 'vitest'
import { errorCodes, isErrorCode } from '../../runtime/error/codes.ts'

const expectedStatuses = {
  DEPLOYMENT_NOT_FOUND: 404,
  ROUTE_TAKEN: 409,
  FUNCTION_NOT_FOUND: 500,
  CALL_TOO_DEEP: 508,
  CLUSTER_UNREACHABLE: 502,
  CLUSTER_UNFIT: 502,
  DEPLOY_FAILED: 502,
  RESOURCES_MISSING: 503,
  REPLICAS_MISSING: 503,
  JOB_NOT_FOUND: 404,
  JOB_UNFINISHED: 409,
  JOB_ENDED: 409,
  LEASE_LOST: 409,
  IDEMPOTENCY_MISMATCH: 422,
  STEP_FAILED: 500,
  JOB_CRASHED: 500,
  PROGRESS_INVALID: 500,
  JOB_STORE_UNAVAILABLE: 503,
  JOB_TOO_LARGE: 507,
  REQUEST_MALFORMED: 400,
  TOKEN_MISSING: 401,
  TOKEN_INVALID: 401,
  ORIGIN_REFUSED: 403,
  MODEL_FORBIDDEN: 403,
  ACCESS_REQUIRED: 401,
  ACCESS_FORBIDDEN: 403,
  GRANT_INVALID: 403,
  ROUTE_NOT_FOUND: 404,
  MODEL_NOT_FOUND: 404,
  ENTRY_NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  UPLOAD_TIMEOUT: 408,
  BODY_TOO_LARGE: 413,
  MEDIA_TYPE_UNSUPPORTED: 415,
  RANGE_UNSATISFIABLE: 416,
  URL_REFUSED: 422,
  INPUT_INVALID: 422,
  TENSOR_MISMATCH: 422,
  CANCELLED: 499,
  INFERENCE_FAILED: 500,
  INTERNAL: 500,
  OUTPUT_INVALID: 500,
  FUNCTION_BROKEN: 500,
  CONFIG_INVALID: 500,
  BUILD_FAILED: 500,
  ROUTE_CONFLICT: 500,
  ARTIFACT_BROKEN: 502,
  BACKEND_UNAVAILABLE: 502,
  BACKEND_BROKEN: 502,
  FETCH_FAILED: 502,
  MODEL_BROKEN: 502,
  SHARE_EXCEEDED: 429,
  QUEUE_FULL: 503,
  DRAINING: 503,
  ROOM_TAKEN: 503,
  STORAGE_FULL: 503,
  PROVIDER_UNAVAILABLE: 503,
  QUARANTINED: 503,
  REPLICA_CRASHED: 503,
  DEVICE_LOST: 503,
  DEADLINE_EXCEEDED: 504,
  MODEL_TOO_LARGE: 507,
}

it('keeps every code and its status, since callers rely on them', () => {
  const statuses = Object.fromEntries(Object.entries(errorCodes).map(([code, { status }]) => [code, status]))
  expect(statuses).toEqual(expectedStatuses)
})

it('calls nothing worth a retry that the caller alone can mend', () => {
  const retryable = Object.entries(errorCodes).filter(([, facts]) => facts.retryable)
  expect(retryable.map(([code]) => code)).toEqual([
    'UPLOAD_TIMEOUT',
    'JOB_UNFINISHED',
    'BACKEND_UNAVAILABLE',
    'FETCH_FAILED',
    'CLUSTER_UNREACHABLE',
    'SHARE_EXCEEDED',
    'QUEUE_FULL',
    'DRAINING',
    'ROOM_TAKEN',
    'RESOURCES_MISSING',
    'REPLICAS_MISSING',
    'JOB_STORE_UNAVAILABLE',
    'STORAGE_FULL',
    'QUARANTINED',
    'REPLICA_CRASHED',
    'DEVICE_LOST',
    'DEADLINE_EXCEEDED',
  ])
})

it.each([
  ['INTERNAL', true],
  ['toString', false],
  ['__proto__', false],
  [undefined, false],
  [['INTERNAL'], false],
])('tells whether %j is a code', (value, isOne) => {
  expect(isErrorCode(value)).toBe(isOne)
})

it('is frozen', () => {
  expect(Object.isFrozen(errorCodes)).toBe(true)
})
