/**
 * The build process: bundles and imports one function file at a time, as its parent says over IPC, since
 * bundling leaks memory and what is imported may do anything.
 */
import { type BuildDirectories, isBuildMode } from '../build/bundle.ts'
import { type BuildSettings, buildFunction, messageOf } from '../build/function-build.ts'
import type { BuildOrder, BuildReport } from '../build/message.ts'
import { locateError, placeOf, toMistake } from '../build/mistake.ts'
import { exitWithParent } from './parent.ts'

const [parent, mode, projectDirectory, functionsDirectory, bundlesDirectory] = process.argv.slice(2)
if (
  !parent ||
  !isBuildMode(mode) ||
  !projectDirectory ||
  !functionsDirectory ||
  !bundlesDirectory ||
  !process.send
) {
  throw new Error('The build process is started by isoplex only.')
}
const directories: BuildDirectories = { projectDirectory, functionsDirectory, bundlesDirectory }
const settings: BuildSettings = { directories, mode }

// Functions are imported into this process: what they may do to it must not reach the parent as a report.
const send = process.send.bind(process)
const exit = process.exit.bind(process)
const chdir = process.chdir.bind(process)
const nextTurn = setImmediate
let current = ''
let sources: readonly string[] = []

exitWithParent(Number(parent))
delete process.send
process.exit = (code) => crash(new Error(`It calls process.exit(${code ?? ''}) when it is imported.`))
process.on('uncaughtException', crash)
process.on('unhandledRejection', crash)
process.on('message', build)
report({ kind: 'ready' })

async function build(order: BuildOrder): Promise<void> {
  current = order.file
  // The function before may have gone elsewhere.
  chdir(directories.projectDirectory)
  sources = [order.file]
  const outcome = await buildFunction(order, settings, (hashes) => {
    sources = Object.keys(hashes)
    report({ kind: 'bundled', sources: hashes })
  })
  // A promise that was left to fail speaks up before the next turn.
  await new Promise((resolve) => nextTurn(resolve))
  report(outcome)
}

function crash(error: unknown): never {
  const place = locateError(error, directories.projectDirectory, sources) ?? placeOf(current)
  report({ kind: 'crashed', mistake: toMistake(place, messageOf(error)) })
  return exit(1)
}

function report(message: BuildReport): void {
  send(message)
}
