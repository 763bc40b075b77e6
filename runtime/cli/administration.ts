import { join } from 'node:path'
import { makeStateDirectory } from '../config/state-directory.ts'
import { findControlSocket } from '../control/control-socket.ts'
import { modelSettingsOf, openModelHost, serverAccessTokenOf } from '../entry/model-host.ts'
import { createAdministration, type ReportingAdministration } from '../model/administration.ts'
import { syncModelFolders } from '../model/model-folders.ts'
import type { StoreKeeping } from '../model/store-keeping.ts'
import { createControlClient } from './control-client.ts'
import { createOutput, explain, type Output } from './output.ts'
import { openProject, type Project } from './project.ts'

/** In whose name commands change the registry. */
export const localActor = 'local'

/** What a command does to the registry. */
export type AdministrationTask = (administration: Operation, output: Output) => Promise<void>

/** The administration of a registry, and the keeping of its store. */
export type Operation = ReportingAdministration & StoreKeeping

/**
 * Does something to the registry of the current project: through the control socket of a server that runs on its
 * state directory, and where none does, on the registry itself, with the models of the folder `_models` in it.
 */
export async function withAdministration(
  flags: Readonly<Record<string, unknown>>,
  task: AdministrationTask,
): Promise<void> {
  const output = createOutput(flags.json === true)
  const project = await openProject(flags)
  const socketPath = await findControlSocket(project.stateDirectory)
  if (socketPath === null) await onRegistry(project, output, task)
  else await task(createControlClient(socketPath), output)
}

async function onRegistry(project: Project, output: Output, task: AdministrationTask): Promise<void> {
  const { config, stateDirectory: directory, functionsDirectory } = project
  await makeStateDirectory(directory)
  await using host = await openModelHost({
    directory,
    settings: modelSettingsOf(config),
    serverAccessToken: serverAccessTokenOf(process.env),
    onPruningFailed: (error) => output.note(`The store could not be pruned: ${explain(error)}`),
  })
  const { registry, keeping } = host
  const changes = await syncModelFolders(registry, join(functionsDirectory, '_models'))
  for (const { id, change, reason } of changes) {
    if (reason !== null) output.note(`Model ${id} ${change}: ${reason}`)
  }
  await task({ ...createAdministration(registry), ...keeping }, output)
}
