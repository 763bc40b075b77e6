/** Tells the tabs of an origin how far a download has come. */
export interface ProgressAnnouncer extends Disposable {
  tell(doneBytes: number, totalBytes: number): void
}

/** Hears how far another tab's download has come. */
export interface ProgressFollower {
  end(): void
}

interface Announced {
  readonly digest: string
  readonly doneBytes: number
}

const channelName = 'isoplex artifacts'
const stepBytes = 262_144

/** Announces the progress of an artifact: not every byte, but the last. */
export function announceProgress(digest: string): ProgressAnnouncer {
  const channel = new BroadcastChannel(channelName)
  let toldBytes = 0
  return {
    tell(doneBytes, totalBytes) {
      if (doneBytes < totalBytes && Math.abs(doneBytes - toldBytes) < stepBytes) return
      toldBytes = doneBytes
      channel.postMessage({ digest, doneBytes } satisfies Announced)
    },
    [Symbol.dispose]: () => channel.close(),
  }
}

/** Follows the progress of an artifact that another tab brings. */
export function followProgress(digest: string, onProgress: (doneBytes: number) => void): ProgressFollower {
  const channel = new BroadcastChannel(channelName)
  channel.onmessage = ({ data }: MessageEvent<Announced>) => {
    if (data.digest === digest) onProgress(data.doneBytes)
  }
  return { end: () => channel.close() }
}
