import { createOutboundPolicy, type OutboundPolicy } from '../network/policy.ts'

/** From where artifacts may come. */
export interface ArtifactPolicy {
  readonly policy: OutboundPolicy
  /** Names of S3 buckets. */
  readonly buckets: readonly string[]
}

const bucket = /^s3:\/\/([^/]+)\/?$/i
const loopbackHost = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

/**
 * Makes the policy of artifacts: they may come from the backend's own host by https, from a loopback backend itself
 * by http, and from what the operator names, which are hosts, origins and `s3://` buckets.
 *
 * @param backendUrl `null` where models come from no other server
 */
export function createArtifactPolicy(
  backendUrl: string | null,
  artifactHosts: readonly string[],
): ArtifactPolicy {
  const buckets = artifactHosts.flatMap((entry) => bucket.exec(entry)?.[1] ?? [])
  const named = createOutboundPolicy(artifactHosts)
  const url = backendUrl === null ? null : new URL(backendUrl)
  const isTrusted = url !== null && (url.protocol === 'https:' || loopbackHost.test(url.hostname))
  return Object.freeze({
    policy: {
      origins: [...(isTrusted ? [url.origin] : []), ...named.origins],
      hosts: [...(url === null ? [] : [url.hostname]), ...named.hosts],
    },
    buckets,
  })
}
