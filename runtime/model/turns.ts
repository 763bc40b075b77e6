/** Work that is done one at a time for each key. */
export interface Turns<Result> {
  /**
   * Does the work, once what runs under this key has ended. Whoever comes before it begins shares it in place of
   * their own: it begins after they asked, so that it sees all that they know of.
   */
  take(key: string, work: () => Promise<Result>): Promise<Result>
}

interface Line<Result> {
  readonly settled: Promise<void>
  next: Promise<Result> | undefined
}

/** Makes turns that nobody has taken yet. A line is forgotten with its last turn. */
export function createTurns<Result>(): Turns<Result> {
  const lines = new Map<string, Line<Result>>()

  const begin = (key: string, work: () => Promise<Result>): Promise<Result> => {
    const running = work()
    const end = (): void => {
      if (line.next === undefined) lines.delete(key)
    }
    const line: Line<Result> = { settled: running.then(end, end), next: undefined }
    lines.set(key, line)
    return running
  }

  return Object.freeze({
    take(key: string, work: () => Promise<Result>) {
      const line = lines.get(key)
      if (line === undefined) return begin(key, work)
      line.next ??= line.settled.then(() => begin(key, work))
      return line.next
    },
  })
}
