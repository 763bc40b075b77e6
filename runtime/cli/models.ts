import { resolve } from 'node:path'
import { SingleBar } from 'cli-progress'
import type { Command } from 'commander'
import { makeStateDirectory } from '../config/state-directory.ts'
import { openArtifactStore } from '../model/artifact-store.ts'
import { type ModelFolderChange, syncModelFolders } from '../model/model-folders.ts'
import type { RegisteredModel } from '../model/registered-model.ts'
import { openRegistry, type Registry } from '../model/registry.ts'
import { createOutput, formatBytes, formatTable } from './output.ts'
import { openProject } from './project.ts'

interface JsonFlag {
  readonly json?: boolean
}

/** Adds `isoplex models`: what the embedded registry holds, and changes to it. A running server follows them. */
export function addModelsCommand(program: Command): void {
  const models = program.command('models').description('Models of the embedded registry.')
  models
    .command('add')
    .description('Add a model, or a new version of it: an .onnx file, a zip archive or a folder.')
    .argument('<path>', 'the file or folder')
    .requiredOption('--id <id>', 'the id by which tokens name the model')
    .option('--field <name=value...>', 'further facts for functions: value as JSON, else as text')
    .option('--json', 'print JSON')
    .action((path: string, flags: JsonFlag & { readonly id: string; readonly field?: readonly string[] }) =>
      withRegistry((registry) => add(registry, path, flags)),
    )
  models
    .command('list')
    .description('List the models.')
    .option('--json', 'print JSON')
    .action((flags: JsonFlag) =>
      withRegistry(async (registry) => {
        const all = await registry.list()
        createOutput(flags.json ?? false).result(all, tableOf(all))
      }),
    )
  models
    .command('show')
    .description('Show a model with all its versions.')
    .argument('<id>', 'the model')
    .option('--json', 'print JSON')
    .action((id: string, flags: JsonFlag) =>
      withRegistry(async (registry) => {
        const model = await registry.show(id)
        createOutput(flags.json ?? false).result(model, versionsOf(model))
      }),
    )
  models
    .command('remove')
    .description('Remove a model, or one of its versions.')
    .argument('<id>', 'the model, or a version of it as id@2')
    .option('--json', 'print JSON')
    .action((name: string, flags: JsonFlag) =>
      withRegistry(async (registry) => {
        const [id = '', version] = name.split('@', 2)
        await registry.remove(id, version === undefined ? undefined : Number(version))
        createOutput(flags.json ?? false).result({ removed: name }, `Removed ${name}`)
      }),
    )
}

async function add(
  registry: Registry,
  path: string,
  { id, field = [], json = false }: JsonFlag & { readonly id: string; readonly field?: readonly string[] },
): Promise<void> {
  const bar = new SingleBar({
    format: `${id} {bar} {percentage}%`,
    stream: process.stderr,
    clearOnComplete: true,
  })
  const shown = !json && process.stderr.isTTY === true
  if (shown) bar.start(1, 0)
  try {
    const added = await registry.add({
      id,
      source: resolve(path),
      fields: Object.fromEntries(field.map(parseField)),
      onProgress: ({ doneBytes, totalBytes }) => {
        bar.setTotal(totalBytes)
        bar.update(doneBytes)
      },
    })
    bar.stop()
    const verb = added.changed ? 'Added' : 'Unchanged:'
    createOutput(json).result(
      added,
      `${verb} ${id}@${added.version} (${formatBytes(added.sizeBytes)}, sha256 ${added.digest})`,
    )
  } finally {
    bar.stop()
  }
}

function parseField(text: string): [string, unknown] {
  const at = text.indexOf('=')
  if (at < 1) throw new TypeError(`"--field" takes name=value; got "${text}".`)
  const value = text.slice(at + 1)
  try {
    return [text.slice(0, at), JSON.parse(value)]
  } catch {
    return [text.slice(0, at), value]
  }
}

/** Opens the registry with the models of the folder `_models` in it, as a server would have them. */
async function withRegistry(task: (registry: Registry) => Promise<void>): Promise<void> {
  const { stateDirectory: directory, functionsDirectory } = await openProject()
  await makeStateDirectory(directory)
  const registry = await openRegistry({ directory, store: await openArtifactStore({ directory }) })
  try {
    warnOfFailures(await syncModelFolders(registry, resolve(functionsDirectory, '_models')))
    await task(registry)
  } finally {
    await registry.close()
  }
}

function warnOfFailures(changes: readonly ModelFolderChange[]): void {
  for (const { id, change, reason } of changes) {
    if (change === 'failed' || change === 'skipped')
      process.stderr.write(`Model ${id} ${change}: ${reason}\n`)
  }
}

function tableOf(models: readonly RegisteredModel[]): string {
  if (models.length === 0) return 'No models. Add one with: isoplex models add PATH --id ID'
  const rows = models.map(({ id, folderFingerprint, versions }) => {
    const [newest] = versions
    const origin = folderFingerprint === null ? 'added' : 'folder'
    return [id, String(newest?.version), formatBytes(newest?.sizeBytes ?? 0), String(versions.length), origin]
  })
  return formatTable([['ID', 'VERSION', 'SIZE', 'VERSIONS', 'ORIGIN'], ...rows])
}

function versionsOf({ id, versions }: RegisteredModel): string {
  const rows = versions.map(({ version, sizeBytes, digest, addedAtMs, fields }) => [
    `${id}@${version}`,
    formatBytes(sizeBytes),
    new Date(addedAtMs).toISOString(),
    digest,
    JSON.stringify(fields),
  ])
  return formatTable([['VERSION', 'SIZE', 'ADDED', 'SHA-256', 'FIELDS'], ...rows])
}
