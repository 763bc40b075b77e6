/** An access as the rule of rights sees it. */
export interface AccessFacts {
  /** For whom it was made; `null` for none. */
  readonly tenant: string | null
  readonly tenantRevoked: boolean
  /** The ids of the models that it gives; `null` for all that its tenant may use. */
  readonly models: readonly string[] | null
  /** `null` for never. */
  readonly expiresAtMs: number | null
  readonly revoked: boolean
}

/** A caller as the rule of rights sees them. */
export interface CallerFacts {
  /** The tenant that the caller claims, `null` for none. */
  readonly claimedTenant: string | null
  readonly claimedTenantRevoked: boolean
  /** Whether a trusted issuer has proven the claims. */
  readonly proven: boolean
  /** The access of the token that the caller carries: `unknown` where there is none of that token. */
  readonly access: AccessFacts | 'unknown' | 'none-carried'
  readonly nowMs: number
}

/** A model as the rule of rights sees it. Whether it is there does not count. */
export interface ModelFacts {
  readonly id: string
  /** `null` where it is for every tenant. */
  readonly owner: string | null
}

/**
 * Why a caller is refused: the access `token` does not count, nothing is `proven`, the claimed `tenant` is not the
 * caller's or not admitted any more, or the `model` is not given.
 */
export type Refusal = 'token' | 'unproven' | 'tenant' | 'model'

/** What the rule of rights says. */
export type Verdict =
  | { readonly granted: true; readonly tenant: string | null }
  | { readonly granted: false; readonly refusal: Refusal }

/**
 * Confirms who a caller is. An access token is worth what the registry knows of it, whoever has signed for it; its
 * tenant is confirmed, and another one must not be claimed. Without one, the claims count where they are proven:
 * the issuer vouches for the tenant, who may have been revoked but need not have been added.
 */
export function confirmCaller(caller: CallerFacts): Verdict {
  const { access, claimedTenant, claimedTenantRevoked, proven, nowMs } = caller
  if (access === 'none-carried') {
    if (!proven) return refuse('unproven')
    return claimedTenantRevoked ? refuse('tenant') : grant(claimedTenant)
  }
  if (access === 'unknown' || !counts(access, nowMs)) return refuse('token')
  if (claimedTenant !== null && claimedTenant !== access.tenant) return refuse('tenant')
  return grant(access.tenant)
}

/** Confirms who a caller is, and that they may use a model. */
export function judge(caller: CallerFacts, model: ModelFacts): Verdict {
  const verdict = confirmCaller(caller)
  if (!verdict.granted) return verdict
  const models = typeof caller.access === 'object' ? caller.access.models : null
  return mayUse({ tenant: verdict.tenant, models }, model) ? verdict : refuse('model')
}

/** Whether a confirmed tenant may use a model, by way of an access that gives these models. */
export function mayUse(
  { tenant, models }: Pick<AccessFacts, 'tenant' | 'models'>,
  { id, owner }: ModelFacts,
): boolean {
  return (models?.includes(id) ?? true) && (owner === null || owner === tenant)
}

/**
 * Whether a confirmed tenant may publish a model, by way of an access that gives these models: a new one, or one
 * that has the same owner.
 *
 * @param model `null` where it is new
 */
export function mayPublish(
  { tenant, models }: Pick<AccessFacts, 'tenant' | 'models'>,
  id: string,
  model: ModelFacts | null,
): boolean {
  return (models?.includes(id) ?? true) && (model === null || model.owner === tenant)
}

/** Whether an access is good now. */
export function counts({ revoked, tenantRevoked, expiresAtMs }: AccessFacts, nowMs: number): boolean {
  return !revoked && !tenantRevoked && (expiresAtMs === null || nowMs < expiresAtMs)
}

function grant(tenant: string | null): Verdict {
  return Object.freeze({ granted: true, tenant })
}

function refuse(refusal: Refusal): Verdict {
  return Object.freeze({ granted: false, refusal })
}
