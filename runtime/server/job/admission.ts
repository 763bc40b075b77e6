import type { Admission } from '../../define/action.ts'
import type { Answer } from '../../replica/ticket.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** What the runner of an action has found in a job's parameters. @throws {TypeError} where it has answered otherwise */
export function readAdmission({ body }: Answer): Admission {
  const value: unknown = body instanceof Uint8Array ? JSON.parse(utf8.decode(body)) : null
  const models: unknown =
    typeof value === 'object' && value !== null && 'models' in value ? value.models : null
  if (Array.isArray(models) && models.every((model) => typeof model === 'string')) return { models }
  throw new TypeError('The runner of an action did not say which models its parameters name.')
}
