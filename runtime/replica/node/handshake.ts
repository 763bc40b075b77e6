import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { nodeProtocol } from './message.ts'

/** Where the two ends of a connection say what comes before all else: messages of JSON, one after the other. */
export interface HandshakeLine {
  say(message: unknown): void
  /** The next message. @throws {Error} where none comes any more. */
  hear(): Promise<unknown>
}

/** What both ends know once they have proved themselves; never sent. `null` where there is no shared key. */
export type SessionKey = Buffer | null

/** Says why the other end is not spoken with. */
export class HandshakeError extends Error {
  readonly reason: 'protocol' | 'key' | 'words'

  constructor(reason: HandshakeError['reason'], message: string) {
    super(message)
    this.reason = reason
  }
}

const randomBytesLength = 32
/** The fewest bytes of a shared key: it is as hard to guess as what the proofs are made with. */
export const minKeyBytes = 32

/**
 * The gateway's part: it opens, and proves itself first, so that whoever only asks learns nothing that the key could be
 * guessed by.
 *
 * @throws {HandshakeError} where the node speaks another protocol, or has another key or none.
 */
export async function openHandshake(line: HandshakeLine, key: Buffer | null): Promise<SessionKey> {
  const own = newRandom()
  line.say({ kind: 'hello', protocol: nodeProtocol, random: own, keyed: key !== null })
  const challenge = read(await line.hear())
  if (challenge.kind !== 'challenge') throw refusalOf(challenge)
  const transcript = `${own} ${randomOf(challenge)}`
  line.say({ kind: 'proof', proof: proofOf(key, 'gateway', transcript) })
  const welcome = read(await line.hear())
  if (welcome.kind !== 'welcome') throw refusalOf(welcome)
  if (!isProof(welcome.proof, key, 'node', transcript)) throw keyRefusal()
  return sessionKeyOf(key, transcript)
}

/**
 * The node's part. It answers whoever does not prove itself with a refusal that says no more than that.
 *
 * @throws {HandshakeError} where the gateway speaks another protocol, or has another key or none.
 */
export async function answerHandshake(line: HandshakeLine, key: Buffer | null): Promise<SessionKey> {
  const hello = read(await line.hear())
  if (hello.kind !== 'hello') throw new HandshakeError('words', 'It did not begin with a greeting.')
  if (hello.protocol !== nodeProtocol) throw refuse(line, 'protocol')
  if (hello.keyed !== (key !== null)) throw refuse(line, 'key')
  const own = newRandom()
  const transcript = `${randomOf(hello)} ${own}`
  line.say({ kind: 'challenge', random: own })
  const { kind, proof } = read(await line.hear())
  if (kind !== 'proof' || !isProof(proof, key, 'gateway', transcript)) throw refuse(line, 'key')
  line.say({ kind: 'welcome', proof: proofOf(key, 'node', transcript) })
  return sessionKeyOf(key, transcript)
}

/** What a runner of a session proves itself with, of what was said in the open when it was ordered. */
export function runnerWord(session: SessionKey, nonce: string): string {
  return session === null
    ? nonce
    : createHmac('sha256', session).update(`runner ${nonce}`).digest('base64url')
}

/** Compares in a time that tells nothing of where they differ. */
export function isSameText(given: unknown, expected: string): boolean {
  if (typeof given !== 'string') return false
  const [a, b] = [Buffer.from(given), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}

interface Words {
  readonly kind?: unknown
  readonly protocol?: unknown
  readonly random?: unknown
  readonly keyed?: unknown
  readonly proof?: unknown
  readonly reason?: unknown
}

function read(message: unknown): Words {
  if (typeof message !== 'object' || message === null)
    throw new HandshakeError('words', 'It said something that is no message.')
  return message
}

function newRandom(): string {
  return randomBytes(randomBytesLength).toString('base64url')
}

/** It goes into what is proved: a proof made for one pair of them is of no use for another. */
function randomOf({ random }: Words): string {
  if (typeof random === 'string' && /^[\w-]{43}$/.test(random)) return random
  throw new HandshakeError('words', 'It gave no random bytes.')
}

/** The role is part of it, lest one end's proof be sent back to it as the other's. */
function proofOf(key: Buffer | null, role: 'gateway' | 'node', transcript: string): string {
  if (key === null) return ''
  return createHmac('sha256', key).update(`isoplex ${nodeProtocol} ${role} ${transcript}`).digest('base64url')
}

function isProof(given: unknown, key: Buffer | null, role: 'gateway' | 'node', transcript: string): boolean {
  return isSameText(given, proofOf(key, role, transcript))
}

function sessionKeyOf(key: Buffer | null, transcript: string): SessionKey {
  return key && createHmac('sha256', key).update(`isoplex ${nodeProtocol} session ${transcript}`).digest()
}

function refuse(line: HandshakeLine, reason: 'protocol' | 'key'): HandshakeError {
  line.say({ kind: 'refusal', reason })
  return reason === 'key' ? keyRefusal() : protocolRefusal()
}

function refusalOf({ kind, reason }: Words): HandshakeError {
  if (kind === 'refusal' && reason === 'protocol') return protocolRefusal()
  if (kind === 'refusal' && reason === 'key') return keyRefusal()
  return new HandshakeError('words', 'It answered something else than was asked.')
}

function keyRefusal(): HandshakeError {
  return new HandshakeError('key', 'The two ends do not have the same shared key (nodeKeyFile).')
}

function protocolRefusal(): HandshakeError {
  return new HandshakeError(
    'protocol',
    'The two ends are of versions of isoplex that do not understand each other.',
  )
}
