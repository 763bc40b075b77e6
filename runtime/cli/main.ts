#!/usr/bin/env bun
/** The command `isoplex`. Each subcommand is a file of its own, loaded when it is called. */
import { Command, CommanderError } from 'commander'
import packageFile from '../../package.json' with { type: 'json' }
import { IsoplexError } from '../error/error.ts'
import { printFailure, surviveOutputErrors } from './output.ts'

type AddCommand = (program: Command) => void

const subcommands: Readonly<Record<string, () => Promise<AddCommand>>> = {
  dev: async () => (await import('./serve.ts')).addDevCommand,
  serve: async () => (await import('./serve.ts')).addServeCommand,
  gateway: async () => (await import('./gateway.ts')).addGatewayCommand,
  node: async () => (await import('./node.ts')).addNodeCommand,
  build: async () => (await import('./build.ts')).addBuildCommand,
  routes: async () => (await import('./routes.ts')).addRoutesCommand,
  token: async () => (await import('./token.ts')).addTokenCommand,
  keys: async () => (await import('./keys.ts')).addKeysCommand,
  models: async () => (await import('./models.ts')).addModelsCommand,
  tenants: async () => (await import('./tenants.ts')).addTenantsCommand,
  access: async () => (await import('./access.ts')).addAccessCommand,
  audit: async () => (await import('./audit.ts')).addAuditCommand,
  run: async () => (await import('./run.ts')).addRunCommand,
  'ray-job': async () => (await import('./ray-job.ts')).addRayJobCommand,
  jobs: async () => (await import('./jobs.ts')).addJobsCommand,
  deployments: async () => (await import('./deployments.ts')).addDeploymentsCommand,
  redeploy: async () => (await import('./redeploy.ts')).addRedeployCommand,
  deploy: async () => (await import('./deploy.ts')).addDeployCommand,
  undeploy: async () => (await import('./deploy.ts')).addUndeployCommand,
  ps: async () => (await import('./ps.ts')).addPsCommand,
  doctor: async () => (await import('./doctor.ts')).addDoctorCommand,
}

const json = process.argv.includes('--json')
surviveOutputErrors()
try {
  await (await createProgram(process.argv[2] ?? '')).parseAsync()
} catch (error) {
  fail(error)
}

/** Makes the program with the subcommand of this name; with all of them where it is none, for help and advice. */
async function createProgram(name: string): Promise<Command> {
  const program = new Command('isoplex')
    .description('Serve ONNX models from a folder of functions.')
    .version(packageFile.version)
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => (json ? undefined : write(`isoplex: ${withoutPrefix(text)}`)),
    })
  const named = Object.hasOwn(subcommands, name) ? subcommands[name] : undefined
  for (const load of named ? [named] : Object.values(subcommands)) (await load())(program)
  return program
}

/** Says why a command has failed. What commander refuses, it has said to people itself. */
function fail(error: unknown): void {
  if (!(error instanceof CommanderError)) printFailure(error, json)
  else if (json && error.exitCode !== 0) {
    printFailure(new IsoplexError('CONFIG_INVALID', withoutPrefix(error.message)), true)
  }
  process.exitCode = error instanceof CommanderError ? error.exitCode : 1
}

function withoutPrefix(message: string): string {
  return message.replace(/^error: /, '')
}
