import type { SchemaIssue } from '../error/codes.ts'
import { IsoplexError, isIsoplexError } from '../error/error.ts'

/** Where in a graph something failed. */
export interface NodePlace {
  readonly node: string
  /** The position of the item, for a node that runs for several. */
  readonly item: number | null
}

/**
 * An error that says which node failed. The places of what a node's schemas refuse begin with `/nodes/` and its name,
 * so that they are not taken for places of the graph's own input. What is no error of ours becomes the cause of one,
 * whose text callers are not shown.
 */
export function nodeFailure(error: unknown, { node, item }: NodePlace): Error {
  const where = item === null ? `Node "${node}"` : `Node "${node}", item ${item}`
  if (!isIsoplexError(error)) return new Error(`${where} failed.`, { cause: error })
  const origin = { cause: error, requestId: error.requestId }
  const message = `${where}: ${error.message}`
  if (error.code !== 'INPUT_INVALID' && error.code !== 'OUTPUT_INVALID') {
    return new IsoplexError<typeof error.code>(error.code, message, {
      ...origin,
      details: error.details,
    } as never)
  }
  const prefix = `/nodes/${node}${item === null ? '' : `/${item}`}`
  const issues = error.details.issues.map((issue): SchemaIssue => ({ ...issue, path: prefix + issue.path }))
  return new IsoplexError(error.code, message, { ...origin, details: { issues } })
}
