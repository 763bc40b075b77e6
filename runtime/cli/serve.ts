import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import type { Command } from 'commander'
import { Gateway, type GatewayOptions } from '../entry/gateway.ts'
import { exitWithInput } from '../entry/parent.ts'
import { createProcessLog } from '../entry/process-log.ts'
import { playgroundPath } from '../server/page/routes.ts'
import { exampleCall } from './example-call.ts'
import { createOutput } from './output.ts'
import { addConfigFlags, openProject } from './project.ts'
import { createServerReport, type Listening } from './server-report.ts'
import { untilSignalled } from './signals.ts'

/** The flags of commands that serve. */
export type ServeFlags = Readonly<Record<string, string | undefined>> & {
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
  const project = await openProject(flags)
  const log = createProcessLog(project.config.logLevel)
  const build = flags.build === undefined ? {} : { buildDirectory: resolve(flags.build) }
  await serveGateway({ ...project, ...build, mode, log }, flags)
}

/** Starts a gateway, tells what becomes of it, and ends it at a signal. */
export async function serveGateway(options: GatewayOptions, flags: ServeFlags): Promise<void> {
  const output = createOutput(flags.json ?? false)
  const report = createServerReport(output)
  const gateway = await Gateway.start({
    ...options,
    ...(flags.socket === undefined ? {} : { socketPath: resolve(flags.socket) }),
    onManifest: (manifest) => report.manifest(manifest),
    onModels: (changes) => report.models(changes),
  })
  report.listening(await describe(gateway, options))
  await untilSignalled()
  output.note('Stopping: requests at hand are finished first.')
  await gateway.stop()
}

async function describe(gateway: Gateway, folders: GatewayOptions): Promise<Listening> {
  const { manifest, identity, url, trusting } = gateway
  const { functionsDirectory, stateDirectory } = folders
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
    node: gateway.nodeAddress,
    tookMs: Math.round(performance.now()),
  }
}
