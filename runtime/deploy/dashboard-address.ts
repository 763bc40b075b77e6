import { IsoplexError } from '../error/error.ts'

const usualPort = 8265
const usualAddress = `http://127.0.0.1:${usualPort}`

/**
 * The address of a cluster's REST API, of any form that Ray has for the address of a cluster: `http://host:8265` is it;
 * `ray://host:10001`, `host:6379` and `host` name the machine, on which it is at port 8265; `auto`, `local` and nothing
 * are this machine.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where it is none of these, or has a password in it.
 */
export function toDashboardAddress(address: string | null): string {
  const text = address?.trim() ?? ''
  if (text === '' || text === 'auto' || text === 'local') return usualAddress
  if (/^https?:\/\//i.test(text)) {
    const url = URL.parse(text)
    if (!url || url.username || url.password || url.search || url.hash) throw invalid()
    return url.href.replace(/\/+$/, '')
  }
  const [, host] = /^(?:ray:\/\/)?(\[[\da-f:.]+\]|[\w.-]+)(?::\d{1,5})?\/?$/i.exec(text) ?? []
  if (host === undefined || !URL.canParse(`http://${host}:${usualPort}`)) throw invalid()
  return `http://${host}:${usualPort}`
}

function invalid(): IsoplexError<'CONFIG_INVALID'> {
  const message =
    'The address of the Ray cluster must be that of its dashboard, such as http://127.0.0.1:8265, or of a machine, such as ray://host:10001, and hold no password.'
  return new IsoplexError('CONFIG_INVALID', message)
}
