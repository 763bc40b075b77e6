import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { Manifest } from '../build/manifest.ts'
import { Gateway } from '../entry/gateway.ts'
import { createProcessLog } from '../entry/process-log.ts'
import type { ModelFolderChange } from '../model/model-folders.ts'
import { writeExampleCall } from './example-call.ts'
import { createOutput, type Output } from './output.ts'
import { addConfigFlags, openProject, type Project } from './project.ts'

type ServeFlags = Readonly<Record<string, string | undefined>> & {
  readonly json?: boolean
  readonly build?: string
}

/** Adds `isoplex dev` and `isoplex serve`. */
export function addServeCommands(program: Command): void {
  const dev = program
    .command('dev')
    .description('Serve the functions of this folder and follow their files as they change.')
    .option('--json', 'print events as lines of JSON')
    .action((flags: ServeFlags) => serve('dev', flags))
  addConfigFlags(dev)
  const serveCommand = program
    .command('serve')
    .description('Serve the functions of this folder as they are.')
    .option('--build <folder>', 'serve what `isoplex build` wrote there, and compile nothing')
    .option('--json', 'print events as lines of JSON')
    .action((flags: ServeFlags) => serve('serve', flags))
  addConfigFlags(serveCommand)
}

async function serve(mode: 'dev' | 'serve', flags: ServeFlags): Promise<void> {
  const output = createOutput(flags.json ?? false)
  const project = await openProject(flags)
  const startedMs = performance.now()
  let listening = false
  const gateway = await Gateway.start({
    mode,
    config: project.config,
    projectDirectory: project.directory,
    functionsDirectory: project.functionsDirectory,
    stateDirectory: project.stateDirectory,
    ...(flags.build === undefined ? {} : { buildDirectory: resolve(flags.build) }),
    log: createProcessLog(project.config.logLevel),
    onManifest: (manifest) => {
      reportBroken(manifest, output)
      if (listening)
        output.result({ event: 'live', functions: manifest.functions.length }, liveLine(manifest))
    },
    onModels: (changes) => {
      for (const change of changes) output.result({ event: 'model', ...change }, modelLine(change))
    },
  })
  listening = true
  await greet(gateway, project, output, Math.round(performance.now() - startedMs))
  await untilSignalled()
  output.note('Stopping: requests at hand are finished first.')
  await gateway.stop()
}

async function greet(gateway: Gateway, project: Project, output: Output, tookMs: number): Promise<void> {
  const { manifest, identity } = gateway
  const url = new URL(identity.routePrefix || '/', gateway.url).href
  const call = await writeExampleCall(manifest, project.stateDirectory, url.replace(/\/$/, ''))
  const lines = [
    `${identity.appName} is ready after ${tookMs} ms`,
    ...manifest.functions.map(
      (fn) => `  ${fn.methods.join(',').padEnd(5)} ${identity.routePrefix}${fn.path}  (${fn.file})`,
    ),
    `Listening on ${url}`,
    `Documentation on ${new URL('/-/docs', gateway.url).href}`,
    ...(call === null ? [] : ['', 'Try it:', `  ${call}`, '']),
  ]
  output.result(
    {
      event: 'listening',
      url,
      app: identity.appName,
      functions: manifest.functions.map(({ name }) => name),
      example: call,
    },
    lines.join('\n'),
  )
}

function reportBroken({ broken }: Manifest, output: Output): void {
  for (const { file, place, reason, served } of broken) {
    const where = [place.file, place.line, place.column].filter((part) => part !== null).join(':')
    const meanwhile = served ? ' Its last good version is served meanwhile.' : ''
    output.result({ event: 'broken', file, place, reason, served }, `${where}: ${reason}${meanwhile}`)
  }
}

function liveLine({ functions }: Manifest): string {
  return `Live: ${functions.length} functions.`
}

function modelLine({ id, version, change, reason }: ModelFolderChange): string {
  return `Model ${id}${version === null ? '' : `@${version}`} ${change}${reason === null ? '' : `: ${reason}`}.`
}

/** Resolves at the first signal to end; a second one ends the process at once. */
async function untilSignalled(): Promise<void> {
  await new Promise<void>((resolveSignal) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolveSignal())
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
}
