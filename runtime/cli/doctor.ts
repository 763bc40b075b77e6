import type { Command } from 'commander'
import type { MachineFacts } from '../engine/machine-facts.ts'
import {
  explainProviders,
  type ProviderChoice,
  type ProviderState,
  selectProvider,
} from '../engine/provider.ts'
import { readServerMachine } from '../entry/machine.ts'
import { isIsoplexError } from '../error/error.ts'
import { createOutput, formatTable } from './output.ts'
import { openProject } from './project.ts'

/** Adds `isoplex doctor`: what models can be computed on here, what would be chosen, and how to get more. */
export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('Show what models can be computed on here, and how to get more.')
    .option('--json', 'print JSON')
    .action(async (flags: { readonly json?: boolean }) => {
      const { config } = await openProject()
      const facts = await readServerMachine()
      const states = explainProviders(facts)
      const { provider, fallback } = config
      const choice = choose(facts, { provider, ...(fallback === null ? {} : { fallback }) })
      const failed = choice instanceof Error
      createOutput(flags.json ?? false).result(
        { bun: Bun.version, facts, providers: states, wished: provider, choice: failed ? null : choice },
        [headline(facts), tableOf(states), ...adviceOf(states), verdictOf(provider, choice)].join('\n\n'),
      )
      if (failed) process.exitCode = 1
    })
}

function choose(facts: MachineFacts, wish: Parameters<typeof selectProvider>[1]): ProviderChoice | Error {
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

function verdictOf(wished: string, choice: ProviderChoice | Error): string {
  if (choice instanceof Error) return `With provider "${wished}", models do not load here.`
  return `With provider "${wished}", models compute on ${choice.provider}.`
}
