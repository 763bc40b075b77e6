import { join, resolve } from 'node:path'
import { SingleBar } from 'cli-progress'
import { type Command, InvalidArgumentError } from 'commander'
import { makeStateDirectory } from '../config/state-directory.ts'
import { IsoplexError } from '../error/error.ts'
import { openArtifactStore } from '../model/artifact-store.ts'
import { syncModelFolders } from '../model/model-folders.ts'
import type { Progress } from '../model/progress.ts'
import type { RegisteredModel } from '../model/registered-model.ts'
import { openRegistry, type Registry } from '../model/registry.ts'
import { createOutput, formatBytes, formatTable, type Output } from './output.ts'
import { addConfigFlags, openProject } from './project.ts'

interface ModelsFlags {
  readonly json?: boolean
}

interface AddFlags extends ModelsFlags {
  readonly id: string
  readonly field?: Readonly<Record<string, unknown>>
}

/** Adds `isoplex models`: what the embedded registry holds, and changes to it. A running server follows them. */
export function addModelsCommand(program: Command): void {
  const models = program.command('models').description('Models of the embedded registry.')
  const add = models
    .command('add')
    .description('Add a model, or a new version of it: an .onnx file, a zip archive or a folder.')
    .argument('<path>', 'the file or folder')
    .requiredOption('--id <id>', 'the id by which tokens name the model')
    .option('--field <name=value>', 'a fact for functions, as JSON, else as text; repeatable', collectField)
    .action((path: string, flags: AddFlags) => withRegistry(flags, addModel(path, flags)))
  const list = models
    .command('list')
    .description('List the models.')
    .action((flags: ModelsFlags) => withRegistry(flags, listModels))
  const show = models
    .command('show')
    .description('Show a model with all its versions.')
    .argument('<id>', 'the model')
    .action((id: string, flags: ModelsFlags) => withRegistry(flags, showModel(id)))
  const remove = models
    .command('remove')
    .description('Remove a model, or one of its versions.')
    .argument('<id[@version]>', 'the model, or a version of it', parseModelName)
    .action((name: ModelName, flags: ModelsFlags) => withRegistry(flags, removeModel(name)))
  for (const command of [add, list, show, remove]) {
    addConfigFlags(command.option('--json', 'print JSON'), ['functionsDirectory', 'stateDirectory'])
  }
}

type RegistryTask = (registry: Registry, output: Output) => Promise<void>

/** Opens the registry with the models of the folder `_models` in it, as a server would have them. */
async function withRegistry(flags: ModelsFlags, task: RegistryTask): Promise<void> {
  const output = createOutput(flags.json ?? false)
  const { stateDirectory: directory, functionsDirectory } = await openProject({ ...flags })
  await makeStateDirectory(directory)
  const registry = await openRegistry({ directory, store: await openArtifactStore({ directory }) })
  try {
    for (const { id, change, reason } of await syncModelFolders(
      registry,
      join(functionsDirectory, '_models'),
    )) {
      if (reason !== null) output.note(`Model ${id} ${change}: ${reason}`)
    }
    await task(registry, output)
  } finally {
    await registry.close()
  }
}

function addModel(path: string, { id, field: fields = {}, json = false }: AddFlags): RegistryTask {
  return async (registry, output) => {
    const bar = startProgressBar(id, !json && process.stderr.isTTY === true)
    try {
      const added = await registry.add({
        actor: 'cli',
        id,
        source: resolve(path),
        fields,
        onProgress: bar.update,
      })
      bar.stop()
      const verb = added.changed ? 'Added' : 'Unchanged:'
      const text = `${verb} ${id}@${added.version} (${formatBytes(added.sizeBytes)}, sha256 ${added.digest})`
      output.result(added, text)
    } finally {
      bar.stop()
    }
  }
}

async function listModels(registry: Registry, output: Output): Promise<void> {
  const all = await registry.list()
  output.result(all, formatModels(all))
}

function showModel(id: string): RegistryTask {
  return async (registry, output) => {
    const model = await registry.show(id)
    output.result(model, formatVersions(model))
  }
}

function removeModel({ id, version }: ModelName): RegistryTask {
  return async (registry, output) => {
    const { folderFingerprint } = await registry.show(id)
    if (folderFingerprint !== null) throw comesFromFolder(id)
    await registry.remove({ actor: 'cli', id, version })
    output.result({ id, version }, `Removed ${version === null ? id : `${id}@${version}`}`)
  }
}

/** A folder's model would be registered again by whoever looks next. */
function comesFromFolder(id: string): IsoplexError<'INPUT_INVALID'> {
  const message = 'comes from a folder in _models and stays as long as that is there; remove the folder'
  return new IsoplexError('INPUT_INVALID', `Model "${id}" ${message}.`, {
    details: { issues: [{ path: '/id', message }] },
  })
}

/** A model, or one version of it. */
export interface ModelName {
  readonly id: string
  readonly version: number | null
}

/** Reads `digits` or `digits@2`. @throws {InvalidArgumentError} where what follows the `@` counts no version. */
export function parseModelName(text: string): ModelName {
  const [id = '', version, ...rest] = text.split('@')
  if (version === undefined) return { id, version: null }
  if (/^[1-9]\d{0,14}$/.test(version) && rest.length === 0) return { id, version: Number(version) }
  throw new InvalidArgumentError(`Versions are whole numbers, as in ${id || 'digits'}@2.`)
}

/** Adds `name=value` to fields. What is JSON counts as such, all else as text. */
export function collectField(
  text: string,
  fields: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('It is written as name=value.')
  return Object.fromEntries([...Object.entries(fields), [text.slice(0, at), parseValue(text.slice(at + 1))]])
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

interface ProgressBar {
  update(progress: Progress): void
  stop(): void
}

function startProgressBar(id: string, visible: boolean): ProgressBar {
  if (!visible) return { update: () => undefined, stop: () => undefined }
  const format = `${id} {bar} {percentage}%`
  const bar = new SingleBar({ format, stream: process.stderr, clearOnComplete: true })
  bar.start(1, 0)
  return {
    update({ doneBytes, totalBytes }) {
      bar.setTotal(totalBytes)
      bar.update(doneBytes)
    },
    stop: () => bar.stop(),
  }
}

/** The models as people read them. */
export function formatModels(models: readonly RegisteredModel[]): string {
  if (models.length === 0) return 'No models. Add one with: isoplex models add PATH --id ID'
  const rows = models.map(({ id, folderFingerprint, versions }) => {
    const [newest] = versions
    const origin = folderFingerprint === null ? 'added' : 'folder'
    return [id, String(newest?.version), formatBytes(newest?.sizeBytes ?? 0), String(versions.length), origin]
  })
  return formatTable([['ID', 'VERSION', 'SIZE', 'VERSIONS', 'ORIGIN'], ...rows])
}

/** A model's versions as people read them. */
export function formatVersions({ id, versions }: RegisteredModel): string {
  const rows = versions.map(({ version, sizeBytes, digest, addedAtMs, fields }) => [
    `${id}@${version}`,
    formatBytes(sizeBytes),
    new Date(addedAtMs).toISOString(),
    digest,
    JSON.stringify(fields),
  ])
  return formatTable([['VERSION', 'SIZE', 'ADDED', 'SHA-256', 'FIELDS'], ...rows])
}
