import { type Command, type CommanderError, InvalidArgumentError, Option } from 'commander'
import type { ErrorCode } from '../error/codes.ts'
import { isIsoplexError } from '../error/error.ts'
import { orAborted } from '../runner/abort-race.ts'
import { parseAmount } from './deploy.ts'
import { type Interruption, interruptedCode, listenForInterruption } from './interruption.ts'
import { printFailure } from './output.ts'
import { addConfigFlags, openProject } from './project.ts'
import { runElsewhere } from './run-elsewhere.ts'
import { runLocally } from './run-locally.ts'
import { type RayFlags, runOnRay } from './run-on-ray.ts'
import { type GivenFile, parseGivenFile, readParams } from './run-params.ts'
import type { RunRequest } from './run-request.ts'

interface RunFlags {
  readonly mode: 'local' | 'task' | 'job' | 'remote' | 'ray'
  readonly params?: string
  readonly input?: readonly GivenFile[]
  readonly model?: string
  readonly tenant?: string
  readonly url?: string
  readonly tokenFile?: string
  readonly timeoutMs?: number
  readonly output?: string
  readonly address?: string
  readonly bundle?: string
  readonly numCpus?: number
  readonly numGpus?: number
  readonly json?: boolean
}

const explanation = `
Modes:
  local, task  runs the function on this machine, without a server: an action as a
               job with its steps, rollback and files; --model names the model of
               an inference function in the place of its default.
  job, remote  an action is submitted to a running server and followed (--url, by
               default the port of this project on this machine). An inference
               function is called where it is deployed, as infer_remote of the
               Synapse SDK does: --params holds "model", "method" and "json", and
               --url is http://localhost:8100 by default.
  ray          an action is run as a job of a Ray cluster (--address, by default that
               of the configuration), of a self-contained build that is made now or
               lies there already (--bundle). Parameters and access token go along
               sealed with the key file of the cluster (clusterKeyFile; by default the
               project's own key, which each machine finds under the same path).

A model token for a server comes from the variable ISOPLEX_TOKEN or --token-file,
never from the command line, where others could see it. For a server of this
project on this machine one is made where it is needed and --model, or a
parameter, names the model.

With SYNAPSE_JOB_ID, SYNAPSE_HOST and SYNAPSE_ACCESS_TOKEN in the environment a job
is reported to that Synapse backend.

The result is alone on standard output; everything else is on standard error.
Ctrl-C cancels and waits for the rollback; a second one ends at once.

Exit codes: 0 succeeded, 1 failed, 2 the call or its parameters were refused,
130 cancelled by Ctrl-C.`

/** Adds `isoplex run`: it runs a function, and an action as a job. */
export function addRunCommand(program: Command): void {
  const command = program
    .command('run')
    .description('Run a function: an action as a job, with its progress.')
    .argument('<function>', 'its name, as "isoplex routes" lists its path')
    .option('--params <json>', 'the parameters, or the input: JSON, @file of JSON, or - for standard input')
    .option('--input <field=@path>', 'a file for a field, or @path where it is all; repeatable', collectFile)
    .addOption(
      new Option('--mode <mode>', 'where')
        .choices(['local', 'task', 'job', 'remote', 'ray'])
        .default('local'),
    )
    .option('--model <id>', 'the model that answers, or that the token is for')
    .addOption(new Option('--tenant <name>', 'the tenant for whom it is').env('SYNAPSE_TENANT'))
    .addOption(new Option('--url <url>', 'where the server is').env('ISOPLEX_URL'))
    .option('--token-file <path>', 'a file with the model token for the server; - is standard input')
    .option(
      '--timeout-ms <ms>',
      'how long a call may take (default: 60000 of an inference function elsewhere)',
      parseTime,
    )
    .option('--address <url>', 'with --mode ray: the dashboard of the cluster, or one of its machines')
    .option('--bundle <place>', 'with --mode ray: the self-contained build as the cluster finds it')
    .option('--num-cpus <count>', 'with --mode ray: cores that the job needs', parseAmount)
    .option('--num-gpus <count>', 'with --mode ray: GPUs that the job needs', parseAmount)
    .option('--output <folder>', 'where to put the files of the job')
    .option('--json', 'print lines of JSON')
    .addHelpText('after', explanation)
    .exitOverride(refuse)
    .action(run)
  addConfigFlags(command, [
    'functionsDirectory',
    'stateDirectory',
    'routePrefix',
    'environment',
    'provider',
    'intraOpThreads',
    'inputHosts',
    'jobTimeoutMs',
    'clusterKeyFile',
    'logLevel',
  ])
}

/** Codes that say that what was asked for is at fault, and nothing has run. */
const refusals: ReadonlySet<ErrorCode> = new Set([
  'CONFIG_INVALID',
  'ROUTE_NOT_FOUND',
  'REQUEST_MALFORMED',
  'INPUT_INVALID',
  'TENSOR_MISMATCH',
  'MEDIA_TYPE_UNSUPPORTED',
  'BODY_TOO_LARGE',
  'URL_REFUSED',
])

async function run(name: string, flags: RunFlags): Promise<void> {
  using interruption = listenForInterruption()
  try {
    const code = await runFunction(name, flags, interruption)
    // That the result could not be written has been said already.
    if (code !== 0) process.exitCode = code
  } catch (error) {
    // Who pressed Ctrl-C knows why it has ended; standard input may still be waited for.
    if (interruption.signal.aborted) process.exit(interruptedCode)
    printFailure(error, flags.json === true)
    process.exitCode = isIsoplexError(error) && refusals.has(error.code) ? 2 : 1
  }
}

async function runFunction(name: string, flags: RunFlags, { signal }: Interruption): Promise<number> {
  const { mode, model, tenant, url, tokenFile, timeoutMs, output, json = false } = flags
  const request: RunRequest = {
    name,
    params: await orAborted(readParams(flags.params, flags.input ?? []), signal),
    project: await openProject({ ...flags }),
    model: model ?? null,
    tenant: tenant || null,
    url: url || null,
    tokenFile: tokenFile ?? null,
    timeoutMs: timeoutMs ?? null,
    outputDirectory: output ?? null,
    json,
    signal,
  }
  if (mode === 'ray') return await runOnRay({ ...request, ...rayFlagsOf(flags) })
  return mode === 'local' || mode === 'task' ? await runLocally(request) : await runElsewhere(request)
}

function rayFlagsOf({ address, bundle, numCpus, numGpus }: RunFlags): RayFlags {
  return {
    address: address ?? null,
    bundle: bundle ?? null,
    resources: {
      ...(numCpus !== undefined && { cpus: numCpus }),
      ...(numGpus !== undefined && { gpus: numGpus }),
    },
  }
}

function collectFile(text: string, others: readonly GivenFile[] = []): readonly GivenFile[] {
  const file = parseGivenFile(text)
  if (file === null) throw new InvalidArgumentError('It is written as field=@path, or as @path.')
  return [...others, file]
}

/** @throws {InvalidArgumentError} */
function parseTime(text: string): number {
  const ms = Number(text)
  if (/^\d{1,10}$/.test(text) && ms >= 1 && ms < 2 ** 31) return ms
  throw new InvalidArgumentError('It must be a whole number from 1 to 2147483647.')
}

function refuse(error: CommanderError): never {
  if (error.exitCode !== 0) error.exitCode = 2
  throw error
}
