import { namedModelId } from '../../define/model-id.ts'
import type { StepFields } from '../../define/step.ts'
import { unfitForJson } from './json.ts'
import type { StepHost } from './step-run.ts'

/** What steps share: what the steps of every action do, and what those of some kind do beside it. */
export type SharedFields = StepFields & Readonly<Record<string, unknown>>

/** The shared fields that are the same in every process. */
type PlainFields = Readonly<Record<string, unknown>>

/**
 * The shared fields as they are recorded. Of the model there is only which one, and whether its files were there: its
 * metadata may hold addresses that are secret, and its folder is another one in the next process.
 */
interface RecordedFields extends PlainFields {
  readonly modelId: string | null
  /** The id of the model that had been loaded; `null` where none was. */
  readonly loadedModel: string | null
  readonly hadPath: boolean
}

/** The fields before the first step. `further` are those of the kind of the action. */
export function startFields(
  params: unknown,
  batchSize: number,
  further: Readonly<Record<string, unknown>>,
): SharedFields {
  return {
    ...further,
    modelId: namedModelId(params),
    model: null,
    modelPath: null,
    requests: [],
    results: [],
    batchSize,
    processedCount: 0,
  }
}

/** The fields alone, of a context that holds them beside other things: those that there were before. */
export function pickFields(context: StepFields, before: SharedFields): SharedFields {
  const { modelId, model, modelPath, requests, results, batchSize, processedCount } = context
  const own = { modelId, model, modelPath, requests, results, batchSize, processedCount }
  return { ...keepNames(context, before), ...own }
}

function keepNames(values: object, like: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => Object.hasOwn(like, name)))
}

/**
 * The fields as they are recorded.
 *
 * @throws {TypeError} naming field and step where a step left what JSON cannot carry.
 */
export function recordFields(fields: SharedFields, step: string): RecordedFields {
  const plain = plainFields(fields)
  for (const [name, value] of Object.entries(plain)) assertJson(value, name, step)
  return { ...plain, ...modelFacts(fields) }
}

/** The fields that a failed step left, as far as JSON can carry them; the others as they are before the first step. */
export function salvageFields(fields: SharedFields, start: SharedFields): RecordedFields {
  const carried = Object.entries(plainFields(fields)).filter(
    ([name, value]) => unfitForJson(value, name) === null,
  )
  return { ...plainFields(start), ...Object.fromEntries(carried), ...modelFacts(fields) }
}

function plainFields({ model: _, modelPath: __, ...plain }: SharedFields): PlainFields {
  return plain
}

function modelFacts({
  modelId,
  model,
  modelPath,
}: StepFields): Pick<RecordedFields, 'modelId' | 'loadedModel' | 'hadPath'> {
  return { modelId, loadedModel: model === null ? null : String(model.id), hadPath: modelPath !== null }
}

/** Refuses what a step leaves where JSON cannot carry it. @throws {TypeError} */
export function assertJson(value: unknown, name: string, step: string): void {
  const unfit = unfitForJson(value, name)
  if (unfit === null) return
  throw new TypeError(
    `Step "${step}" left ${unfit}, which JSON cannot carry. Leave plain data, and write the rest with files.write().`,
  )
}

/** The fields that {@link recordFields} made, without their model, which {@link loadModelAgain} adds. */
export function restoreFields(recorded: unknown, start: SharedFields): SharedFields {
  return { ...start, ...keepNames(recorded as RecordedFields, plainFields(start)) }
}

/** Loads the model that the recorded fields tell of, for a process that goes on with the job. */
export async function loadModelAgain(
  recorded: unknown,
  fields: StepFields,
  host: Pick<StepHost, 'prepareModel'>,
): Promise<void> {
  const { loadedModel, hadPath, modelId } = recorded as RecordedFields
  const id = loadedModel ?? (hadPath ? modelId : null)
  if (id === null) return
  const info = await host.prepareModel(id)
  if (loadedModel !== null) fields.model = info
  if (hadPath) fields.modelPath = info.path
}
