import { SingleBar } from 'cli-progress'
import type { Progress } from '../model/progress.ts'

/** A bar on the terminal while something long goes on. */
export interface ProgressBar {
  update(progress: Progress): void
  /** Takes the bar away; it may be called again. */
  stop(): void
}

/** Draws a bar on standard error; none where it is not visible. */
export function startProgressBar(name: string, { visible }: { readonly visible: boolean }): ProgressBar {
  if (!visible) return { update: () => undefined, stop: () => undefined }
  const format = `${name} {bar} {percentage}%`
  const bar = new SingleBar({ format, stream: process.stderr, clearOnComplete: true })
  bar.start(1, 0)
  return {
    update({ doneBytes, totalBytes }) {
      bar.setTotal(totalBytes)
      bar.update(doneBytes)
    },
    stop: () => bar.stop(),
  }
}
