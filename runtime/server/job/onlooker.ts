import { readModelToken } from '../../auth/bearer.ts'
import { anonymous } from '../../auth/credentials.ts'
import { IsoplexError, isIsoplexError } from '../../error/error.ts'
import type { Viewer } from '../../job/store.ts'
import { isAccessToken } from '../../model/access-token.ts'
import { type CheckAccess, readAccessToken, requireAccess } from '../access.ts'
import type { Authorizer } from '../authorization.ts'

/** Who looks at jobs. */
export interface Onlooker {
  readonly viewer: Viewer
  /** Whether they may ask which jobs there are. Those whose jobs nobody can tell apart need to know their ids. */
  readonly mayList: boolean
  /**
   * Whether they would still be let in: a right that is taken away ends what goes on for long. It is what they have sent
   * that counts, not how long it was good for. Who cannot be asked takes nothing away.
   */
  readonly stillSees: () => Promise<boolean>
}

/** Finds out who sends a request for jobs. */
export type Identify = (request: Request) => Promise<Onlooker>

/**
 * Takes whoever sends an access token that may administer for the operator, whoever sends a model token for its
 * principal, and whoever sends none for `anonymous`: that one sees the jobs that were submitted without a token, and
 * lists them only where requests from this machine need no token. What is sent must be good.
 *
 * @throws {IsoplexError} `TOKEN_INVALID`, `ACCESS_REQUIRED`, `ACCESS_FORBIDDEN`, and what keeps the backend from
 * answering
 */
export function identifyByToken(
  { verifier, models, trustsLoopback }: Authorizer,
  checkAccess: CheckAccess,
): Identify {
  return async ({ headers }) => {
    const accessToken = readAccessToken(headers, false)
    if (accessToken !== null && isAccessToken(accessToken)) {
      const ask = (): Promise<unknown> =>
        requireAccess(headers, { rights: 'admin', synapse: false }, checkAccess)
      await ask()
      return { viewer: null, mayList: true, stillSees: () => isAllowed(ask) }
    }
    const token = readModelToken(headers)
    if (token === null) return { viewer: anonymous, mayList: trustsLoopback, stillSees: always }
    const credentials = await verifier.verify(token)
    const ask = (): Promise<string> => models.confirm(credentials)
    return { viewer: await ask(), mayList: true, stillSees: () => isAllowed(ask) }
  }
}

const always = async (): Promise<boolean> => true

/** Whether whoever is asked refuses nothing. */
async function isAllowed(ask: () => Promise<unknown>): Promise<boolean> {
  try {
    await ask()
    return true
  } catch (error) {
    return !isIsoplexError(error) || (error.status !== 401 && error.status !== 403)
  }
}

/** Takes everybody for the operator: only a socket that nobody else can open may do so. */
export async function identifyAsOperator(): Promise<Onlooker> {
  return { viewer: null, mayList: true, stillSees: always }
}

/** Refuses whoever may not ask which jobs there are. @throws {IsoplexError} `TOKEN_MISSING` */
export function assertMayList({ mayList }: Onlooker): void {
  if (mayList) return
  throw new IsoplexError(
    'TOKEN_MISSING',
    'To list jobs, send the model token by which they were submitted; without a token a job is found by its id.',
  )
}
