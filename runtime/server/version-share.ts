import { createHash } from 'node:crypto'

/** Something that is to get a share of the requests. */
export interface Weighted {
  /** Tells it from the others, as long as it lives. */
  readonly key: string
  /** A positive integer. */
  readonly weight: number
}

/**
 * Chooses among weighted versions: the same one for the same sticky key as long as the weights stay, and for many
 * such keys in the proportion of the weights. Where the weight of a version grows, only those who move to it move.
 *
 * Weighted rendezvous hashing: D. G. Thaler and C. V. Ravishankar, "Using name-based mappings to increase hit
 * rates", 1998, with the logarithmic score for weights.
 *
 * @throws {TypeError} where there is no version.
 */
export function chooseVersion<Version extends Weighted>(
  versions: readonly Version[],
  stickyKey: string,
): Version {
  const [first, ...others] = versions
  if (first === undefined) throw new TypeError('"versions" must not be empty.')
  if (others.length === 0) return first
  return others.reduce(
    (best, version) => (score(version, stickyKey) > score(best, stickyKey) ? version : best),
    first,
  )
}

function score({ key, weight }: Weighted, stickyKey: string): number {
  const digest = createHash('sha256')
    .update(JSON.stringify([key, stickyKey]))
    .digest()
  // Between 0 and 1, and neither of them.
  const uniform = (digest.readUIntBE(0, 6) + 0.5) / 2 ** 48
  return -weight / Math.log(uniform)
}
