/** A real thing that some tests need and not every machine has. */
export type Requirement =
  | 'chromium'
  | 'cuda'
  | 'node'
  | 'postgres'
  | 'python'
  | 'ray'
  | 's3'
  | 'tmpfs'
  | 'webgpu'
  | 'wrk'

/**
 * What to do where a test needs something that is not here: `false` and the reason printed, so that the tests
 * can be skipped, unless `ISOPLEX_REQUIRE` (names with commas between) says that it must be here.
 *
 * @param absence why it is not here; `null` where it is
 * @returns whether it is here
 * @throws {Error} where it is required and not here
 *
 * @example
 * describe.runIf(requireOrSkip('webgpu', absence))('on webgpu', () => { … })
 */
export function requireOrSkip(name: Requirement, absence: string | null): boolean {
  if (absence === null) return true
  const required = (process.env.ISOPLEX_REQUIRE ?? '').split(',').map((entry) => entry.trim())
  if (required.includes(name)) {
    throw new Error(`ISOPLEX_REQUIRE asks for ${name}, which is not here: ${absence}`)
  }
  process.stderr.write(`skipped, without ${name}: ${absence}\n`)
  return false
}
