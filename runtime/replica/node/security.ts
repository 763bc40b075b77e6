import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import type { TLSOptions } from 'bun'
import { IsoplexError } from '../../error/error.ts'
import { classifyAddress } from '../../network/address.ts'
import { certifiedName } from '../runner-dial.ts'
import { minKeyBytes } from './handshake.ts'

/** By what gateways and nodes know each other: a shared key, certificates, or both; neither on one machine. */
export interface NodeSecurity {
  readonly key: Buffer | null
  readonly tls: NodeCertificates | null
}

/** A certificate of this machine with its key, and who has signed those of the others; as PEM. */
export interface NodeCertificates {
  readonly cert: string
  readonly key: string
  readonly ca: string
}

/** Where that lies; each path is seen from the project. */
export interface SecurityFiles {
  readonly nodeKeyFile: string | null
  readonly nodeCertificateFile: string | null
  readonly nodeCertificateKeyFile: string | null
  readonly nodeAuthorityFile: string | null
}

/** A host and a port. */
export interface NodeAddress {
  readonly host: string
  readonly port: number
}

/**
 * Reads by what gateways and nodes know each other.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where a file cannot be read, the key is too short, or one of the three files
 * of certificates is missing.
 */
export async function readNodeSecurity(
  files: SecurityFiles,
  projectDirectory: string,
): Promise<NodeSecurity> {
  const { nodeKeyFile, nodeCertificateFile, nodeCertificateKeyFile, nodeAuthorityFile } = files
  const read = (name: keyof SecurityFiles, path: string): Promise<string> =>
    readFile(resolve(projectDirectory, path), 'utf8').catch((cause: unknown) => {
      const message = `The file that ${name} names cannot be read; see that it is there, and readable.`
      throw new IsoplexError('CONFIG_INVALID', message, { cause })
    })
  const key = nodeKeyFile === null ? null : keyOf(await read('nodeKeyFile', nodeKeyFile))
  if (nodeCertificateFile !== null && nodeCertificateKeyFile !== null && nodeAuthorityFile !== null) {
    const tls = {
      cert: await read('nodeCertificateFile', nodeCertificateFile),
      key: await read('nodeCertificateKeyFile', nodeCertificateKeyFile),
      ca: await read('nodeAuthorityFile', nodeAuthorityFile),
    }
    return Object.freeze({ key, tls: Object.freeze(tls) })
  }
  if (nodeCertificateFile === null && nodeCertificateKeyFile === null && nodeAuthorityFile === null)
    return Object.freeze({ key, tls: null })
  throw new IsoplexError(
    'CONFIG_INVALID',
    'nodeCertificateFile, nodeCertificateKeyFile and nodeAuthorityFile belong together; set all of them, or none.',
  )
}

/** Reads `host:port`, with an IPv6 address in brackets. @throws {IsoplexError} `CONFIG_INVALID` */
export function parseNodeAddress(text: string): NodeAddress {
  const match = /^(?:\[([0-9a-f:.%]+)\]|([^:[\]/\s]+)):(\d{1,5})$/i.exec(text)
  const port = Number(match?.[3])
  const host = match?.[1] ?? match?.[2]
  if (host === undefined || port > 65_535) {
    const message = `${JSON.stringify(text)} is no address of a node; write a host and a port, such as 10.0.0.7:7420.`
    throw new IsoplexError('CONFIG_INVALID', message)
  }
  return Object.freeze({ host, port })
}

/** Writes an address as it is read. */
export function formatNodeAddress({ host, port }: NodeAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** Whether only this machine is at an address. */
export function isOwnMachine(host: string): boolean {
  return host === 'localhost' || (isIP(host) !== 0 && classifyAddress(host) === 'loopback')
}

/**
 * Holds an address to be of this machine alone, unless both ends have to prove themselves.
 *
 * @throws {IsoplexError} `CONFIG_INVALID`
 */
export function assertProtected({ key, tls }: NodeSecurity, address: NodeAddress): void {
  if (key || tls || isOwnMachine(address.host)) return
  throw new IsoplexError(
    'CONFIG_INVALID',
    `Whoever reaches ${formatNodeAddress(address)} could run code there; set nodeKeyFile or nodeCertificateFile on both ends, or stay on a loopback address.`,
  )
}

/** How connections to nodes and gateways are encrypted, where they are: both ends show a certificate. */
export function tlsOptionsOf({ tls }: NodeSecurity, end: 'node' | 'gateway'): TLSOptions | undefined {
  if (!tls) return undefined
  const both = { cert: tls.cert, key: tls.key, ca: tls.ca, rejectUnauthorized: true }
  return end === 'node' ? { ...both, requestCert: true } : { ...both, serverName: certifiedName }
}

function keyOf(text: string): Buffer {
  const key = Buffer.from(text.trim())
  if (key.length >= minKeyBytes) return key
  throw new IsoplexError(
    'CONFIG_INVALID',
    `The key that nodeKeyFile names has fewer than ${minKeyBytes} bytes; make one with "openssl rand -base64 48".`,
  )
}
