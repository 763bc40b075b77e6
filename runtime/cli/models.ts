import { resolve } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { isIsoplexError } from '../error/error.ts'
import { isForBrowsers } from '../model/browser-mark.ts'
import { parseModelName, parseTargets } from '../model/model-name.ts'
import type { AliasTarget, RegisteredAlias, RegisteredModel } from '../model/registered-model.ts'
import { type AdministrationTask, localActor, withAdministration } from './administration.ts'
import { addResidencyCommands } from './models-residency.ts'
import { addStoreCommands } from './models-store.ts'
import { formatBytes, formatTable } from './output.ts'
import { startProgressBar } from './progress-bar.ts'
import { addConfigFlags } from './project.ts'

interface ModelsFlags {
  readonly json?: boolean
}

interface AddFlags extends ModelsFlags {
  readonly id: string
  readonly tenant?: string
  readonly browser?: boolean
  readonly field?: Readonly<Record<string, unknown>>
}

/** Adds `isoplex models`: what the embedded registry holds, and changes to it. A running server makes them. */
export function addModelsCommand(program: Command): void {
  const models = program
    .command('models')
    .description('Models of the embedded registry, and of the running server.')
  const commands = [
    ...addReadingCommands(models),
    ...addChangingCommands(models),
    ...addAliasCommands(models),
    ...addStoreCommands(models),
    ...addResidencyCommands(models),
  ]
  for (const command of commands) {
    addConfigFlags(command.option('--json', 'print JSON'), ['functionsDirectory', 'stateDirectory'])
  }
}

function addReadingCommands(models: Command): readonly Command[] {
  const list = models
    .command('list')
    .description('List the models.')
    .action((flags: ModelsFlags) => withAdministration({ ...flags }, listModels))
  const show = models
    .command('show')
    .description('Show a model with all its versions and aliases.')
    .argument('<id>', 'the model')
    .action((id: string, flags: ModelsFlags) => withAdministration({ ...flags }, showModel(id)))
  return [list, show]
}

function addChangingCommands(models: Command): readonly Command[] {
  const add = models
    .command('add')
    .description('Add a model, or a new version of it: an .onnx file, a zip archive or a folder.')
    .argument('<path>', 'the file or folder, or an s3:// URL')
    .requiredOption('--id <id>', 'the id by which tokens name the model')
    .option('--tenant <name>', 'the tenant who owns the model and alone may use it (default: as it is)')
    .option('--browser', 'let pages of browsers have the model, and its fields: the field browser=true')
    .option('--field <name=value>', 'a fact for functions, as JSON, else as text; repeatable', collectField)
    .action((path: string, flags: AddFlags) => withAdministration({ ...flags }, addModel(path, flags)))
  const remove = models
    .command('remove')
    .description('Remove a model, or one of its versions.')
    .argument('<id[@version]>', 'the model, or a version of it', parseVersionName)
    .action((name: VersionName, flags: ModelsFlags) => withAdministration({ ...flags }, removeModel(name)))
  return [add, remove]
}

function addAliasCommands(models: Command): readonly Command[] {
  const alias = models
    .command('alias')
    .description('Give a model an alias, by which tokens name a version, or several that share its requests.')
    .argument('<id>', 'the model')
    .argument('<alias>', 'the alias: tokens name it as id@alias')
    .argument('<targets>', 'a version such as 3, or versions with weights such as 3:90,4:10', readTargets)
    .action((id: string, name: string, targets: readonly AliasTarget[], flags: ModelsFlags) =>
      withAdministration({ ...flags }, setAlias(id, name, targets)),
    )
  const unalias = models
    .command('unalias')
    .description('Take an alias from a model.')
    .argument('<id>', 'the model')
    .argument('<alias>', 'the alias')
    .action((id: string, name: string, flags: ModelsFlags) =>
      withAdministration({ ...flags }, removeAlias(id, name)),
    )
  return [alias, unalias]
}

function addModel(
  path: string,
  { id, tenant, browser, field: fields = {}, json = false }: AddFlags,
): AdministrationTask {
  return async (administration, output) => {
    const bar = startProgressBar(id, { visible: !json && process.stderr.isTTY === true })
    try {
      const added = await administration.addModel({
        actor: localActor,
        id,
        source: path.startsWith('s3://') ? path : resolve(path),
        fields: browser === undefined ? fields : { ...fields, browser },
        ...(tenant === undefined ? {} : { tenant }),
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

const listModels: AdministrationTask = async (administration, output) => {
  const all = await administration.listModels({})
  output.result(all, formatModels(all))
}

function showModel(id: string): AdministrationTask {
  return async (administration, output) => {
    const model = await administration.showModel({ id })
    output.result(model, formatVersions(model))
  }
}

function removeModel({ id, version }: VersionName): AdministrationTask {
  return async (administration, output) => {
    await administration.removeModel({ actor: localActor, id, version })
    output.result({ id, version }, `Removed ${version === null ? id : `${id}@${version}`}`)
  }
}

function setAlias(id: string, alias: string, targets: readonly AliasTarget[]): AdministrationTask {
  return async (administration, output) => {
    const set = await administration.setAlias({ actor: localActor, id, alias, targets })
    output.result({ id, ...set }, `${id}@${alias} is ${formatTargets(set)}`)
  }
}

function removeAlias(id: string, alias: string): AdministrationTask {
  return async (administration, output) => {
    await administration.removeAlias({ actor: localActor, id, alias })
    output.result({ id, alias }, `Removed ${id}@${alias}`)
  }
}

/** A model, or one version of it. */
export interface VersionName {
  readonly id: string
  readonly version: number | null
}

/** Reads `digits` or `digits@2`. @throws {InvalidArgumentError} where it names neither a model nor a version. */
export function parseVersionName(text: string): VersionName {
  const name = parseModelName(text)
  if (name === null || name.selector.kind === 'alias') {
    throw new InvalidArgumentError('It is a model, or a version of it as in digits@2.')
  }
  const { id, selector } = name
  return { id, version: selector.kind === 'version' ? selector.version : null }
}

function readTargets(text: string): readonly AliasTarget[] {
  try {
    return parseTargets(text)
  } catch (error) {
    throw isIsoplexError(error) ? new InvalidArgumentError(error.message) : error
  }
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

/** The models as people read them. */
export function formatModels(models: readonly RegisteredModel[]): string {
  if (models.length === 0) return 'No models. Add one with: isoplex models add PATH --id ID'
  const rows = models.map(({ id, tenant, folderFingerprint, versions, aliases }) => {
    const [newest] = versions
    return [
      id,
      String(newest?.version),
      formatBytes(newest?.sizeBytes ?? 0),
      String(versions.length),
      aliases.map(({ alias }) => alias).join(' ') || '-',
      tenant ?? '-',
      newest !== undefined && isForBrowsers(newest.fields) ? 'yes' : '-',
      folderFingerprint === null ? 'added' : 'folder',
    ]
  })
  return formatTable([
    ['ID', 'VERSION', 'SIZE', 'VERSIONS', 'ALIASES', 'TENANT', 'BROWSER', 'ORIGIN'],
    ...rows,
  ])
}

/** A model's versions, and then its aliases, as people read them. */
export function formatVersions({ id, versions, aliases }: RegisteredModel): string {
  const rows = versions.map(({ version, sizeBytes, digest, addedAtMs, fields }) => [
    `${id}@${version}`,
    formatBytes(sizeBytes),
    new Date(addedAtMs).toISOString(),
    digest,
    JSON.stringify(fields),
  ])
  const table = formatTable([['VERSION', 'SIZE', 'ADDED', 'SHA-256', 'FIELDS'], ...rows])
  if (aliases.length === 0) return table
  const names = aliases.map((alias) => [`${id}@${alias.alias}`, formatTargets(alias)])
  return `${table}\n\n${formatTable([['ALIAS', 'MEANS'], ...names])}`
}

/** What an alias means, with the weights where several versions share its requests. */
function formatTargets({ targets }: RegisteredAlias): string {
  if (targets.length === 1) return String(targets[0]?.version)
  return targets.map(({ version, weight }) => `${version}:${weight}`).join(',')
}
