#!/usr/bin/env bun
/** The command `isoplex`. Each subcommand is a file of its own, loaded when it is called. */
import { Command, CommanderError } from 'commander'
import packageFile from '../../package.json' with { type: 'json' }
import { addBuildCommand } from './build.ts'
import { addDoctorCommand } from './doctor.ts'
import { addModelsCommand } from './models.ts'
import { printFailure } from './output.ts'
import { addRoutesCommand } from './routes.ts'
import { addServeCommands } from './serve.ts'
import { addTokenCommand } from './token.ts'

const program = new Command('isoplex')
  .description('Serve ONNX models from a folder of functions.')
  .version(packageFile.version)
  .showSuggestionAfterError()
  .exitOverride()

addServeCommands(program)
addRoutesCommand(program)
addTokenCommand(program)
addModelsCommand(program)
addDoctorCommand(program)
addBuildCommand(program)

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode
  else {
    printFailure(error, process.argv.includes('--json'))
    process.exitCode = 1
  }
}
