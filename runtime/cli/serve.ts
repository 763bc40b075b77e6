import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import type { Command } from 'commander'
import { Gateway } from '../entry/gateway.ts'
import { exitWithInput } from '../entry/parent.ts'
import { createProcessLog } from '../entry/process-log.ts'
import { playgroundPath } from '../server/page/routes.ts'
import { exampleCall } from './example-call.ts'
import { createOutput } from './output.ts'
import { addConfigFlags, openProject, type Project } from './project.ts'
import { createServerReport, type Listening } from './server-report.ts'

type ServeFlags = Readonly<Record<string, string | undefined>> & {
  readonly json?: boolean
  readonly build?: string
  readonly socket?: string
  readonly supervised?: boolean
}

const json = ['--json', 'print events as lines of JSON'] as const

/** Adds `isoplex dev`. */
export function addDevCommand(program: Command): void {
  const command = program
    .command('dev')
    .description('Serve the functions of this folder and follow their files as they change.')
    .option(...json)
    .action((flags: ServeFlags) => serve('dev', flags))
  addConfigFlags(command)
}

/** Adds `isoplex serve`. */
export function addServeCommand(program: Command): void {
  const command = program
    .command('serve')
    .description('Serve the functions of this folder as they are.')
    .option('--build <folder>', 'serve what `isoplex build` wrote there, and compile nothing')
    .option('--socket <path>', 'listen on a unix socket, for this user only, in place of host and port')
    .option('--supervised', 'end at once when standard input ends or the process that started it does')
    .option(...json)
    .action((flags: ServeFlags) => serve('serve', flags))
  addConfigFlags(command)
}

async function serve(mode: 'dev' | 'serve', flags: ServeFlags): Promise<void> {
  if (flags.supervised) exitWithInput()
  const output = createOutput(flags.json ?? false)
  const report = createServerReport(output)
  const project = await openProject(flags)
  const gateway = await Gateway.start({
    ...project,
    mode,
    ...(flags.build === undefined ? {} : { buildDirectory: resolve(flags.build) }),
    ...(flags.socket === undefined ? {} : { socketPath: resolve(flags.socket) }),
    log: createProcessLog(project.config.logLevel),
    onManifest: (manifest) => report.manifest(manifest),
    onModels: (changes) => report.models(changes),
  })
  report.listening(await describe(gateway, project))
  await untilSignalled()
  output.note('Stopping: requests at hand are finished first.')
  await gateway.stop()
}

async function describe(gateway: Gateway, project: Project): Promise<Listening> {
  const { manifest, identity, url, trusting } = gateway
  const { functionsDirectory, stateDirectory } = project
  const bodyFile = (name: string): string =>
    join(stateDirectory, 'examples', `${name.replaceAll('/', '--')}.json`)
  const { protocol } = url
  // A socket has no address that could be put into a browser.
  const origin = protocol === 'unix:' ? url.href : url.origin
  const example = exampleCall(protocol === 'unix:' ? [] : manifest.functions, {
    baseUrl: url.origin + identity.routePrefix,
    trusting,
    bodyPath: (name) => relative(process.cwd(), bodyFile(name)),
  })
  if (example?.body) {
    await mkdir(dirname(bodyFile(example.name)), { recursive: true })
    await writeFile(bodyFile(example.name), example.body)
  }
  return {
    ...identity,
    origin,
    manifest,
    functionsDirectory: relative(process.cwd(), functionsDirectory),
    playground: gateway.hasPlayground ? origin + playgroundPath : null,
    example: example?.line ?? null,
    tookMs: Math.round(performance.now()),
  }
}

/** Resolves at the first signal to end; a second one ends the process at once. */
async function untilSignalled(): Promise<void> {
  const signals = ['SIGINT', 'SIGTERM'] as const
  await new Promise<void>((resolveSignal) => {
    for (const signal of signals) process.once(signal, () => resolveSignal())
  })
  for (const signal of signals) process.once(signal, () => process.exit(1))
}
