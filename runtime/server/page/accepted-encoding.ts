import type { Encoding } from '../../build/page/compression.ts'

/** How a reply may be sent, the better first. */
const preferences: readonly Encoding[] = ['br', 'gzip']

/**
 * Which content codings a client takes, the better first: those that its header `Accept-Encoding` names, or means by
 * `*`, with a weight above 0 and not below that of sending the file as it is (RFC 9110, section 12.5.3).
 */
export function acceptedEncodings(header: string | null): readonly Encoding[] {
  const weights = new Map((header ?? '').split(',').map(readCoding))
  const plain = weights.get('identity') ?? 0
  const weighed = preferences.map((encoding) => {
    return { encoding, weight: weightOf(encoding, weights) }
  })
  return weighed
    .filter(({ weight }) => weight > 0 && weight >= plain)
    .sort((left, right) => right.weight - left.weight)
    .map(({ encoding }) => encoding)
}

function weightOf(encoding: Encoding, weights: ReadonlyMap<string, number>): number {
  const alias = encoding === 'gzip' ? weights.get('x-gzip') : undefined
  return weights.get(encoding) ?? alias ?? weights.get('*') ?? 0
}

/** One coding with its weight; a weight that is not well made is none. */
function readCoding(text: string): readonly [coding: string, weight: number] {
  const [coding = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
  if (weight === undefined) return [coding, 1]
  return [coding, /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(weight) ? Number(weight) : 0]
}
