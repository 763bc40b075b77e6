import { isIP, isIPv4 } from 'node:net'

/** Where an address leads: only `public` ones can belong to any server of the internet. */
export type AddressClass = 'public' | 'private' | 'loopback' | 'link-local' | 'other'

/** A block of addresses, as the first of its bits. */
interface Block {
  readonly bits: bigint
  readonly length: number
  readonly leadsTo: AddressClass
}

/**
 * The blocks of the IANA special-purpose registries (RFC 6890 and its successors), IPv4 in its mapped form. The
 * first that holds an address counts. What the clouds answer metadata at counts as link-local wherever it lies.
 */
const blocks: readonly Block[] = [
  ...blocksOf('link-local', [
    '169.254.0.0/16', // RFC 3927; most metadata services
    'fe80::/10', // RFC 4291
    '100.100.100.200/32', // metadata of Alibaba Cloud, in shared address space
    '168.63.129.16/32', // Azure's host, in public address space
    '192.0.0.192/32', // metadata of Oracle Cloud at Home
    'fd00:ec2::254/128', // metadata of AWS, in unique local space
    'fd20:ce::254/128', // metadata of Google Cloud, in unique local space
  ]),
  ...blocksOf('loopback', ['127.0.0.0/8', '::1/128']),
  ...blocksOf('private', [
    '10.0.0.0/8', // RFC 1918, with the next two
    '172.16.0.0/12',
    '192.168.0.0/16',
    '100.64.0.0/10', // RFC 6598, shared behind carrier-grade NAT
    'fc00::/7', // RFC 4193, unique local
    'fec0::/10', // RFC 3879, site-local of old
  ]),
  ...blocksOf('other', [
    '0.0.0.0/8', // RFC 791, this network
    '192.0.0.0/24', // RFC 6890, IETF protocol assignments
    '192.0.2.0/24', // RFC 5737, documentation, with the next two
    '198.51.100.0/24',
    '203.0.113.0/24',
    '192.88.99.0/24', // RFC 7526, relays of 6to4 of old
    '198.18.0.0/15', // RFC 2544, benchmarks
    '224.0.0.0/4', // RFC 5771, multicast
    '240.0.0.0/4', // RFC 1112, reserved, and broadcast at its end
    '2001::/23', // RFC 2928, IETF protocol assignments: Teredo, benchmarks, ORCHID
    '2001:db8::/32', // RFC 3849, documentation, with the next
    '3fff::/20', // RFC 9637
    '2002::/16', // RFC 3056, 6to4: any IPv4 address may hide in it
  ]),
  // RFC 4291: all of IPv4 that no block above holds, and the part of IPv6 that is given out.
  ...blocksOf('public', ['0.0.0.0/0', '2000::/3']),
  ...blocksOf('other', ['::/0']),
]

/** RFC 6052: an IPv4 address that a translator reaches. */
const translated = blockOf('64:ff9b::/96', 'other')

/**
 * Says where an IP address leads. An IPv4 address inside of an IPv6 one counts where the network would use it:
 * mapped (`::ffff:10.0.0.1`) and translated (`64:ff9b::10.0.0.1`). Tunnels (6to4, Teredo) and the compatible form
 * of old are `other`, and so is text that is no address.
 */
export function classifyAddress(text: string): AddressClass {
  const [address = '', zone] = text.split('%', 2)
  if (isIP(address) === 0) return 'other'
  const bits = bitsOf(address)
  const reached = holds(translated, bits) ? (0xffffn << 32n) | (bits & 0xffff_ffffn) : bits
  const found = blocks.find((block) => holds(block, reached))?.leadsTo ?? 'other'
  // Only link-local addresses have a zone (RFC 4007).
  return zone === undefined || found === 'link-local' ? found : 'other'
}

function blocksOf(leadsTo: AddressClass, texts: readonly string[]): readonly Block[] {
  return texts.map((text) => blockOf(text, leadsTo))
}

function blockOf(text: string, leadsTo: AddressClass): Block {
  const [address = '', length = ''] = text.split('/')
  const mappedLength = isIPv4(address) ? 96 + Number(length) : Number(length)
  return { bits: bitsOf(address), length: mappedLength, leadsTo }
}

function holds({ bits, length }: Block, address: bigint): boolean {
  const rest = BigInt(128 - length)
  return bits >> rest === address >> rest
}

/** The 128 bits of an address, of an IPv4 address in its mapped form. */
function bitsOf(address: string): bigint {
  const mapped = isIPv4(address) ? `::ffff:${address}` : address
  // A URL writes the last two groups in hexadecimal, whatever they were written in.
  const groups = new URL(`http://[${mapped}]`).hostname.slice(1, -1)
  const [head = '', tail] = groups.split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array<string>(8 - before.length - after.length).fill('0')
  return [...before, ...zeros, ...after].reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n)
}
