import type { Command } from 'commander'
import type { PlacementQuestion } from '../server/residency/function-choice.ts'
import type { PlacedModel } from '../server/residency/model-placement.ts'
import { createOutput, type Output } from './output.ts'
import { findResidency, type ResidencyClient } from './residency-client.ts'

interface ResidencyFlags {
  readonly function?: string
  readonly tenant?: string
  readonly pin?: boolean
  readonly json?: boolean
}

type ResidencyTask = (
  residency: ResidencyClient,
  question: PlacementQuestion,
  output: Output,
) => Promise<void>

/**
 * Adds `isoplex models load`, `unload`, `pin` and `unpin`, and gives them: what is done to the models that a running
 * server has loaded.
 */
export function addResidencyCommands(models: Command): readonly Command[] {
  const load = create(models, 'load', 'Have the running server load a model before anybody asks for it.')
    .option('--pin', 'and keep it loaded')
    .action((id: string, flags: ResidencyFlags) => change(id, flags, loading(flags.pin ?? false)))
  const unload = create(
    models,
    'unload',
    'Have the running server unload a model; requests may load it again.',
  )
  unload.action((id: string, flags: ResidencyFlags) => change(id, flags, unloading))
  const pin = create(models, 'pin', 'Have the running server load a model, and keep it loaded.')
  pin.action((id: string, flags: ResidencyFlags) => change(id, flags, loading(true)))
  const unpin = create(models, 'unpin', 'Let the running server unload a model again that was pinned.')
  unpin.action((id: string, flags: ResidencyFlags) => change(id, flags, unpinning))
  return [load, unload, pin, unpin]
}

function create(models: Command, name: string, description: string): Command {
  return models
    .command(name)
    .description(description)
    .argument('<id>', 'the model, as a token names it: digits, digits@3 or digits@prod')
    .option('--function <name>', 'the function that uses it (default: the one that is meant)')
    .option('--tenant <name>', 'the tenant whose model it is')
}

async function change(id: string, flags: ResidencyFlags, task: ResidencyTask): Promise<void> {
  const output = createOutput(flags.json ?? false)
  const residency = await findResidency({ ...flags })
  const { function: functionName = null, tenant = null } = flags
  await task(residency, { model: id, functionName, tenant }, output)
}

function loading(pin: boolean): ResidencyTask {
  return async (residency, question, output) => {
    const loaded = await residency.load(question, { pin })
    output.result(loaded, loaded.map(formatPlaced).join('\n'))
  }
}

const unloading: ResidencyTask = async (residency, question, output) => {
  const unloaded = await residency.unload(question)
  const text =
    unloaded === 0 ? `${question.model} is not loaded.` : `Unloaded ${question.model} (${unloaded})`
  output.result({ unloaded }, text)
}

const unpinning: ResidencyTask = async (residency, question, output) => {
  const unpinned = await residency.unpin(question)
  output.result({ unpinned }, `${unpinned === 0 ? 'Not pinned:' : 'Unpinned'} ${question.model}`)
}

/** A model that was loaded, as people read it. */
function formatPlaced({ function: name, id, version, pinned }: PlacedModel): string {
  return `${pinned ? 'Loaded and pinned' : 'Loaded'} ${id}@${version} for ${name}`
}
