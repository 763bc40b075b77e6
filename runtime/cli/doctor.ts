import type { Command } from 'commander'
import type { MachineFacts } from '../engine/machine-facts.ts'
import {
  explainProviders,
  type ProviderChoice,
  type ProviderState,
  selectProvider,
} from '../engine/provider.ts'
import { readServerMachine } from '../entry/machine.ts'
import { type AnyIsoplexError, isIsoplexError } from '../error/error.ts'
import { toWire } from '../error/wire.ts'
import { createOutput, formatTable } from './output.ts'
import { addConfigFlags, openProject } from './project.ts'

interface DoctorFlags {
  readonly json?: boolean
}

/** Adds `isoplex doctor`: what models can be computed on here. It exits with 1 where the wish cannot be met. */
export function addDoctorCommand(program: Command): void {
  const command = program
    .command('doctor')
    .description('Show what models can be computed on here, and how to get more.')
    .option('--json', 'print JSON')
    .action(doctor)
  addConfigFlags(command, ['provider', 'fallback'])
}

async function doctor(flags: DoctorFlags): Promise<void> {
  const { config } = await openProject({ ...flags })
  const { provider: wished, fallback } = config
  const facts = await readServerMachine()
  const states = explainProviders(facts)
  const choice = choose(facts, { provider: wished, ...(fallback === null ? {} : { fallback }) })
  const failed = isIsoplexError(choice)
  const outcome = failed ? { choice: null, problem: toWire(choice) } : { choice, problem: null }
  createOutput(flags.json ?? false).result(
    { bun: Bun.version, facts, providers: states, wished, fallback, ...outcome },
    [headline(facts), tableOf(states), ...adviceOf(states), verdictOf(wished, choice)].join('\n\n'),
  )
  if (failed) process.exitCode = 1
}

function choose(
  facts: MachineFacts,
  wish: Parameters<typeof selectProvider>[1],
): ProviderChoice | AnyIsoplexError {
  try {
    return selectProvider(facts, wish)
  } catch (error) {
    if (isIsoplexError(error)) return error
    throw error
  }
}

function headline({ platform, architecture }: MachineFacts): string {
  return `Bun ${Bun.version} on ${platform} ${architecture}`
}

function tableOf(states: readonly ProviderState[]): string {
  return formatTable(
    states.map(({ provider, available, reason }) => [provider, available ? 'yes' : 'no', reason]),
  )
}

function adviceOf(states: readonly ProviderState[]): readonly string[] {
  return states.filter(({ advice }) => advice).map(({ provider, advice }) => `To get ${provider}: ${advice}`)
}

/** What becomes of a wish: the provider that models compute on, or what they lack. */
export function verdictOf(wished: string, choice: ProviderChoice | AnyIsoplexError): string {
  if (isIsoplexError(choice)) {
    const { missing = [] } = choice.code === 'PROVIDER_UNAVAILABLE' ? choice.details : {}
    return `With provider "${wished}", models do not load here; missing: ${missing.join(', ')}.`
  }
  const { provider, fellBack } = choice
  return `With provider "${wished}", models compute on ${provider}${fellBack ? ', the fallback' : ''}.`
}
