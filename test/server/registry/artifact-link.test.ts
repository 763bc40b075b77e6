import { expect, it } from 'vitest'
import { createArtifactGrants } from '../../../runtime/auth/grant.ts'
import { createProjectKey } from '../../../runtime/auth/project-key.ts'
import { createArtifactLink } from '../../../runtime/server/registry/artifact-link.ts'

it('is good for its artifact alone, for 15 minutes', async () => {
  const grants = createArtifactGrants([await createProjectKey(new Uint8Array(32).fill(1))])
  const digest = 'a'.repeat(64)
  const { path, expiresAtMs } = createArtifactLink(digest, { grants, now: () => 1_000 })
  expect(expiresAtMs).toBe(901_000)
  const { pathname, searchParams } = new URL(path, 'http://localhost')
  expect(pathname).toBe(`/-/registry/artifacts/${digest}`)
  const grant = searchParams.get('grant') ?? ''
  expect(grants.check(digest, grant, 900_999)).toBe(true)
  expect(grants.check(digest, grant, 901_000)).toBe(false)
  expect(grants.check('b'.repeat(64), grant, 1_000)).toBe(false)
})
