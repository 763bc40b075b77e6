import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import type { Config } from '../config/config.ts'
import { describeConfig } from '../config/description.ts'
import { loadConfig } from '../config/loader.ts'
import { flagOf } from '../config/source.ts'

/** A project as a command finds it: the folder that it is called in, and its configuration. */
export interface Project {
  readonly directory: string
  readonly config: Config
  /** Absolute paths of the folders that the configuration names. */
  readonly functionsDirectory: string
  readonly stateDirectory: string
}

/** Adds a flag for each key of the configuration, or for some. */
export function addConfigFlags(command: Command, keys?: readonly string[]): Command {
  for (const row of describeConfig()) {
    if (keys && !keys.includes(row.key)) continue
    command.addOption(
      new Option(`${flagOf(row.key)} <value>`, `${row.description} (default: ${row.default})`),
    )
  }
  return command
}

/** Reads the project of the current folder. @throws {IsoplexError} `CONFIG_INVALID` */
export async function openProject(flags: Readonly<Record<string, unknown>> = {}): Promise<Project> {
  const directory = process.cwd()
  const known = new Set<string>(describeConfig().map(({ key }) => key))
  const configFlags = Object.fromEntries(Object.entries(flags).filter(([name]) => known.has(name)))
  const config = await loadConfig(directory, { environment: process.env, flags: configFlags })
  return Object.freeze({
    directory,
    config,
    functionsDirectory: resolve(directory, config.functionsDirectory),
    stateDirectory: resolve(directory, config.stateDirectory),
  })
}
