import { resolve } from 'node:path'
import type { Command } from 'commander'
import { openFunctionSource } from '../entry/function-source.ts'
import { openNode } from '../entry/node.ts'
import { exitWithInput } from '../entry/parent.ts'
import { createProcessLog } from '../entry/process-log.ts'
import { visibleEnvironment } from '../replica/environment.ts'
import { formatNodeAddress } from '../replica/node/security.ts'
import { createOutput } from './output.ts'
import { addConfigFlags, openProject } from './project.ts'
import { untilSignalled } from './signals.ts'

type NodeFlags = Readonly<Record<string, string | undefined>> & {
  readonly json?: boolean
  readonly build?: string
  readonly supervised?: boolean
}

/** Adds `isoplex node`: replicas for gateways of other machines. */
export function addNodeCommand(program: Command): void {
  const command = program
    .command('node')
    .description('Lend this machine to gateways: they start replicas here, by `isoplex gateway --nodes`.')
    .option('--build <folder>', 'tell them of what `isoplex build` wrote there, and compile nothing')
    .option('--supervised', 'end at once when standard input ends or the process that started it does')
    .option('--json', 'print events as lines of JSON')
    .action((flags: NodeFlags) => lend(flags))
  addConfigFlags(command)
}

async function lend(flags: NodeFlags): Promise<void> {
  if (flags.supervised) exitWithInput()
  const output = createOutput(flags.json ?? false)
  const { config, ...folders } = await openProject({ nodeAddress: '127.0.0.1:0', ...flags })
  const log = createProcessLog(config.logLevel)
  const environment = visibleEnvironment(process.env, config.environment)
  await using resources = new AsyncDisposableStack()
  const build = flags.build === undefined ? {} : { buildDirectory: resolve(flags.build) }
  const source = resources.use(await openFunctionSource({ ...folders, ...build, mode: 'serve', environment }))
  const node = resources.use(await openNode({ config, ...folders, environment, log }))
  const manifest = await source.read()
  await node.follow(manifest, source.bundlesDirectory)
  const functions = manifest.functions.map(({ name }) => name)
  const address = formatNodeAddress(node.address)
  output.result(
    { event: 'listening', node: address, functions, places: Math.max(1, config.replicas) },
    `Gateways may start replicas here: isoplex gateway --nodes ${address}`,
  )
  await untilSignalled()
  output.note('Stopping: gateways are asked to go elsewhere first.')
  await node.close(config.shutdownTimeoutMs)
}
