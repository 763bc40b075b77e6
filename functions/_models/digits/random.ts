/** Random-looking numbers, the same ones in each run that starts from the same seed. */
export interface Random {
  /** A number from `low` (included) to `high` (not included), all equally likely. */
  uniform(low: number, high: number): number
  /** A number of the normal distribution with mean 0 and deviation 1. */
  normal(): number
  /** Puts the items into another order, in place; all orders are equally likely. */
  shuffle(items: unknown[]): void
}

/** Starts a generator: a counter that steps by 2^32 / φ, scrambled by the 32-bit finaliser of MurmurHash3. */
export function createRandom(seed: number): Random {
  let counter = seed

  function fraction(): number {
    counter = (counter + 0x9e3779b9) | 0
    let bits = Math.imul(counter ^ (counter >>> 16), 0x85ebca6b)
    bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
    return ((bits ^ (bits >>> 16)) >>> 0) / 2 ** 32
  }

  return {
    uniform: (low, high) => low + (high - low) * fraction(),
    // Box and Muller; 1 - fraction() is above zero, so that its logarithm is finite.
    normal: () => Math.sqrt(-2 * Math.log(1 - fraction())) * Math.cos(2 * Math.PI * fraction()),
    shuffle(items) {
      for (let last = items.length - 1; last > 0; last -= 1) {
        const chosen = Math.floor((last + 1) * fraction())
        const item = items[chosen]
        items[chosen] = items[last]
        items[last] = item
      }
    },
  }
}
