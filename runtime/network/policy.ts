import { type AddressClass, classifyAddress } from './address.ts'
import { urlRefused } from './refusal.ts'

/** Which servers may be asked. What is in no list is refused, wherever a URL or a redirect points. */
export interface OutboundPolicy {
  /**
   * Servers that the operator has named with their scheme, such as `http://127.0.0.1:8000`: they may have private
   * addresses and speak http. A link-local address is refused even here.
   */
  readonly origins: readonly string[]
  /**
   * Names that may be asked by https, at public addresses only: `models.example.com`, `*.example.com` for all
   * names below it, `*` for any.
   */
  readonly hosts: readonly string[]
}

/** A URL that a policy lets through, and the addresses that its host may have. */
export interface AllowedUrl {
  /** The URL in its normal form, without fragment. */
  readonly url: URL
  /** The name or address in it, without brackets. */
  readonly host: string
  readonly addressClasses: readonly AddressClass[]
}

/** Longer ones are no links to files. */
const maxUrlLength = 16_384
/** The longest name that there is (RFC 1035). */
const maxHostLength = 253

/**
 * Makes a policy of the entries of a configuration: those with `http://` or `https://` are origins, those without a
 * scheme are hosts. Entries with another scheme let nothing through here.
 */
export function createOutboundPolicy(entries: readonly string[]): OutboundPolicy {
  return {
    origins: entries.filter((entry) => /^https?:\/\//i.test(entry)),
    hosts: entries.filter((entry) => !entry.includes('://')),
  }
}

/**
 * Judges a URL before anything is looked up or sent: first whether it is a listed origin, then whether it is https
 * on a listed host.
 *
 * @throws {IsoplexError} `URL_REFUSED`: `malformed`, `scheme`, `credentials` or `host`.
 */
export function judgeUrl(text: string, { origins, hosts }: OutboundPolicy): AllowedUrl {
  const url = text.length > maxUrlLength ? null : URL.parse(text)
  if (!url || url.hostname.length > maxHostLength) {
    throw urlRefused('malformed', 'This is no URL; give a whole one such as https://example.com/file.')
  }
  url.hash = ''
  const { protocol, hostname } = url
  if (protocol !== 'https:' && protocol !== 'http:') {
    throw urlRefused('scheme', 'A URL may be fetched by https only.')
  }
  if (url.username !== '' || url.password !== '') {
    throw urlRefused(
      'credentials',
      `The URL at "${hostname}" holds a user name or a password; leave them out.`,
    )
  }
  const host = hostname.replace(/^\[|\]$/g, '')
  if (origins.some((origin) => URL.parse(origin)?.origin === url.origin)) {
    return { url, host, addressClasses: ['public', 'private', 'loopback'] }
  }
  if (!hosts.some((entry) => matchesHost(entry, hostname))) {
    throw urlRefused('host', `The host "${hostname}" is not among those that this server may fetch from.`)
  }
  if (protocol === 'http:') {
    throw urlRefused('scheme', `The host "${hostname}" may be asked by https only.`)
  }
  return { url, host, addressClasses: ['public'] }
}

/**
 * Judges the addresses that a host has: all must be allowed, since any of them may be asked.
 *
 * @throws {IsoplexError} `URL_REFUSED`, `address`. The message does not say which address: it may be a secret of
 * the network that this server is in.
 */
export function judgeAddresses(addresses: readonly string[], { host, addressClasses }: AllowedUrl): void {
  if (addresses.every((address) => addressClasses.includes(classifyAddress(address)))) return
  throw urlRefused(
    'address',
    addressClasses.includes('private')
      ? `The host "${host}" has an address that no server may have, such as a link-local one.`
      : `The host "${host}" has an address that is not public; only the operator can let it be asked, by its origin.`,
  )
}

function matchesHost(entry: string, hostname: string): boolean {
  if (entry === '*') return true
  const wanted = entry.toLowerCase()
  // Of a name below, something must stand before the dot.
  return wanted.startsWith('*.')
    ? hostname.endsWith(wanted.slice(1)) && hostname.length > wanted.length - 1
    : hostname === wanted
}
