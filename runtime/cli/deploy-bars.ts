import type { WriteStream } from 'node:tty'
import { MultiBar, Presets, type SingleBar } from 'cli-progress'
import type { DeployProgress, DeployStage } from '../deploy/target.ts'

/** How far a deployment is, on a terminal: a bar for each of its stages. Elsewhere a line for each message. */
export interface DeployBars {
  readonly update: DeployProgress
  /** Leaves the bars as they stand; it may be called again. */
  stop(): void
}

/** Draws the bars of a deployment; nothing where they are not to be seen. */
export function startDeployBars(stream: WriteStream, { visible }: { readonly visible: boolean }): DeployBars {
  if (!visible) return { update: () => undefined, stop: () => undefined }
  return stream.isTTY ? drawBars(stream) : writeLines(stream)
}

function drawBars(stream: WriteStream): DeployBars {
  const format = '{name} {bar} {percentage} %  {message}'
  const bars = new MultiBar(
    { stream, format, barsize: 30, hideCursor: true, gracefulExit: false },
    Presets.shades_classic,
  )
  const stages = new Map<DeployStage, SingleBar>()
  return {
    update(current, total, stage, message) {
      const bar = stages.get(stage) ?? bars.create(total, 0, { name: stage.padEnd(10), message })
      stages.set(stage, bar)
      bar.setTotal(total)
      bar.update(current, { message })
    },
    stop: () => bars.stop(),
  }
}

function writeLines(stream: WriteStream): DeployBars {
  let last = ''
  return {
    update(_current, _total, stage, message) {
      const line = `${stage}: ${message}\n`
      if (line !== last) stream.write(line)
      last = line
    },
    stop: () => undefined,
  }
}
