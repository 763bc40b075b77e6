import type { SchemaIssue } from '../../runtime/error/codes.ts'
import { isIsoplexError } from '../../runtime/error/error.ts'

/** The places that an `INPUT_INVALID` or `OUTPUT_INVALID` names; any other outcome fails the test. */
export async function issuesOf(run: () => unknown): Promise<readonly SchemaIssue[]> {
  try {
    await run()
  } catch (error) {
    if (isIsoplexError(error) && (error.code === 'INPUT_INVALID' || error.code === 'OUTPUT_INVALID')) {
      return error.details.issues
    }
    throw error
  }
  throw new Error('Nothing was refused.')
}
