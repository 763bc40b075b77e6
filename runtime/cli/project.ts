import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import type { Config } from '../config/config.ts'
import { describeConfig } from '../config/description.ts'
import { loadConfig } from '../config/loader.ts'
import { type ConfigKey, configKeys } from '../config/schema.ts'
import { flagOf } from '../config/source.ts'

/** A project as a command finds it: the folder that it is called in, and its configuration. */
export interface Project {
  readonly projectDirectory: string
  readonly config: Config
  /** Absolute paths of the folders that the configuration names. */
  readonly functionsDirectory: string
  readonly stateDirectory: string
}

/** What stands below the flags of a command that takes some of the configuration. */
const otherPlaces = `
A setting may also stand in the environment, as ISOPLEX_LOG_LEVEL does for
--log-level, or in package.json under "isoplex", as "logLevel" does. Flags win
over the environment, and the environment over package.json.`

/** Adds a flag for each of these keys of the configuration. */
export function addConfigFlags(command: Command, keys: readonly ConfigKey[] = configKeys): Command {
  for (const { key, description, default: value } of describeConfig()) {
    if (!keys.includes(key)) continue
    // What is either true or false is true where the flag stands alone.
    const taken = value === 'true' || value === 'false' ? '[value]' : '<value>'
    command.addOption(new Option(`${flagOf(key)} ${taken}`, `${description} (default: ${value})`))
  }
  return command.addHelpText('after', otherPlaces)
}

/**
 * Reads the project of the current folder. Of the flags, those that are keys of the configuration count.
 *
 * @throws {IsoplexError} `CONFIG_INVALID`
 */
export async function openProject(flags: Readonly<Record<string, unknown>> = {}): Promise<Project> {
  const projectDirectory = process.cwd()
  const given = Object.fromEntries(configKeys.map((key) => [key, flags[key]]))
  const config = await loadConfig(projectDirectory, { environment: process.env, flags: given })
  return Object.freeze({
    projectDirectory,
    config,
    functionsDirectory: resolve(projectDirectory, config.functionsDirectory),
    stateDirectory: resolve(projectDirectory, config.stateDirectory),
  })
}
