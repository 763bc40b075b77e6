import type { ModelRecord } from './backend.ts'

/**
 * Whether pages of browsers may have a model: its field `browser` is `true`, whatever backend it comes from. Nothing
 * else counts as such.
 */
export function isForBrowsers({ browser }: ModelRecord['fields']): boolean {
  return browser === true
}
