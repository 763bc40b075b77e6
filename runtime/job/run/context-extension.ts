import type { ActionProgram } from '../../define/action.ts'
import type { ActionContext } from '../../define/action-context.ts'
import type { ActionHost } from '../message.ts'
import type { ContextPlace } from './step-run.ts'

/** What the contexts of an action of some kind have beside what those of every action have. */
export interface ContextExtension {
  /** What its steps share, as it is at the start; recorded with each step, so it must be what JSON can carry. */
  readonly fields: Readonly<Record<string, unknown>>
  /**
   * What a context gets that is otherwise whole, the fields included, which these members may change; `null` is an action
   * without steps.
   */
  members(context: ActionContext, place: ContextPlace | null): object
  /** What the result holds of the fields, where the action makes none of its own. */
  result(fields: object): Readonly<Record<string, unknown>>
}

/** What an extension is made from. */
export interface ExtensionParts {
  readonly program: ActionProgram
  readonly params: unknown
  readonly host: ActionHost
}

/** Makes the extension of an action; `null` for an action that has none. What it throws fails the job. */
export type ExtendContext = (parts: ExtensionParts) => Promise<ContextExtension | null>
