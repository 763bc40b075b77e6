import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { classifyAddress } from '../../runtime/network/address.ts'

const octet = fc.nat(255)
const octets = fc.tuple(octet, octet, octet, octet)
const group = fc.nat(0xffff)
const groups = fc.tuple(group, group, group, group, group, group, group, group)

function hex(...numbers: readonly number[]): string {
  return numbers.map((number) => number.toString(16)).join(':')
}

describe('where an address leads', () => {
  it.each([
    ['public', ['1.1.1.1', '8.8.8.8', '172.15.255.255', '172.32.0.0', '100.63.255.255', '100.128.0.0']],
    ['public', ['169.253.255.255', '169.255.0.0', '192.0.1.0', '198.17.255.255', '223.255.255.255']],
    ['public', ['2606:4700::1111', '2a00::', '3ffe::1', '2620:4f:8000::1']],
    ['private', ['10.0.0.0', '10.255.255.255', '172.16.0.0', '172.31.255.255', '192.168.0.1']],
    ['private', ['100.64.0.0', '100.127.255.255', 'fc00::', 'fdff::1', 'fec0::1']],
    ['loopback', ['127.0.0.1', '127.255.255.255', '::1']],
    ['link-local', ['169.254.0.0', '169.254.169.254', '169.254.255.255', 'fe80::1', 'febf::1']],
    ['link-local', ['fe80::1%eth0', 'fe80::1%1']],
    ['other', ['0.0.0.0', '0.1.2.3', '192.0.0.1', '192.0.2.1', '198.51.100.1', '203.0.113.1']],
    ['other', ['192.88.99.1', '198.18.0.1', '198.19.255.255', '224.0.0.1', '240.0.0.1', '255.255.255.255']],
    ['other', ['::', '100::1', 'ff02::1', '2001:db8::1', '3fff::1', '5f00::1', '4000::1', 'ffff::1']],
  ] as const)('is %s for %j', (leadsTo, addresses) => {
    for (const address of addresses) expect([address, classifyAddress(address)]).toEqual([address, leadsTo])
  })

  it.each([
    ['169.254.169.254', 'nearly every cloud'],
    ['fd00:ec2::254', 'AWS'],
    ['fd20:ce::254', 'Google'],
    ['100.100.100.200', 'Alibaba'],
    ['168.63.129.16', 'Azure'],
    ['192.0.0.192', 'Oracle'],
  ])('is link-local for %s, where %s answers metadata', (address) => {
    expect(classifyAddress(address)).toBe('link-local')
  })

  it('is other for what is no address', () => {
    for (const text of [
      '',
      'localhost',
      '1.2.3',
      '1.2.3.4.5',
      '01.2.3.4',
      '0x7f.0.0.1',
      '2130706433',
      ' 1.1.1.1',
    ])
      expect(classifyAddress(text)).toBe('other')
    for (const text of [
      ':::',
      '1::2::3',
      '[::1]',
      '1:2:3:4:5:6:7',
      '12345::',
      '1.1.1.1/8',
      '2606:4700::1111/64',
    ])
      expect(classifyAddress(text)).toBe('other')
  })

  it('is other for an address with a zone that can have none', () => {
    expect(classifyAddress('2606:4700::1111%eth0')).toBe('other')
    expect(classifyAddress('::1%lo')).toBe('other')
    expect(classifyAddress('1.1.1.1%eth0')).toBe('other')
  })

  it('is the same for an IPv4 address in each spelling that the network takes for it', () => {
    fc.assert(
      fc.property(octets, ([a, b, c, d]) => {
        const dotted = `${a}.${b}.${c}.${d}`
        const leadsTo = classifyAddress(dotted)
        const low = hex((a << 8) | b, (c << 8) | d)
        for (const prefix of ['::ffff:', '0:0:0:0:0:ffff:', '::FFFF:', '64:ff9b::', '64:ff9b:0:0:0:0:']) {
          expect(classifyAddress(prefix + dotted)).toBe(leadsTo)
          expect(classifyAddress(prefix + low)).toBe(leadsTo)
        }
      }),
    )
  })

  it('is never public for an IPv4 address that hides in a tunnel or in the form of old', () => {
    fc.assert(
      fc.property(octets, groups, ([a, b, c, d], rest) => {
        const [high, low] = [(a << 8) | b, (c << 8) | d]
        expect(classifyAddress(`2002:${hex(high, low, ...rest.slice(3))}`)).toBe('other')
        expect(classifyAddress(`2001:0:${hex(...rest.slice(2, 6), high, low)}`)).toBe('other')
        expect(classifyAddress(`64:ff9b:1:${hex(...rest.slice(5), high, low)}`)).toBe('other')
        expect(['other', 'loopback']).toContain(classifyAddress(`::${hex(high, low)}`))
      }),
    )
  })

  it('does not depend on how an IPv6 address is written', () => {
    fc.assert(
      fc.property(groups, (numbers) => {
        const plain = hex(...numbers)
        const padded = numbers.map((number) => number.toString(16).padStart(4, '0').toUpperCase()).join(':')
        const short = new URL(`http://[${plain}]`).hostname.slice(1, -1)
        expect(classifyAddress(padded)).toBe(classifyAddress(plain))
        expect(classifyAddress(short)).toBe(classifyAddress(plain))
      }),
    )
  })

  it('is public for no IPv6 address outside of the part that is given out', () => {
    fc.assert(
      fc.property(groups, ([first, ...rest]) => {
        fc.pre(first >> 13 !== 1 && first !== 0 && first !== 0x64)
        expect(classifyAddress(hex(first, ...rest))).not.toBe('public')
      }),
    )
  })
})
