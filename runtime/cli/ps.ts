import type { Command } from 'commander'
import { createOutput } from './output.ts'
import { addConfigFlags } from './project.ts'
import { findResidency } from './residency-client.ts'
import { formatResidency } from './residency-table.ts'

interface PsFlags {
  readonly json?: boolean
  readonly watch?: boolean
}

/** How often a watched table is drawn. */
const refreshMs = 1_000
/** To the upper left corner, and all behind it empty (ECMA-48: CUP, ED). */
const cleared = '\u001b[H\u001b[J'

/** Adds `isoplex ps`: what the running server has loaded where. */
export function addPsCommand(program: Command): void {
  const command = program
    .command('ps')
    .description('Show what the running server has loaded where, and what has left lately and why.')
    .option('--watch', 'show it again every second, until no server runs any more')
    .option('--json', 'print JSON')
    .action((flags: PsFlags) => show(flags))
  addConfigFlags(command, ['stateDirectory'])
}

async function show(flags: PsFlags): Promise<void> {
  const { json = false, watch = false } = flags
  const output = createOutput(json)
  const clear = watch && !json && process.stdout.isTTY === true ? cleared : ''
  const tell = async (): Promise<void> => {
    // Another server may have taken the place of the one before.
    const residency = await findResidency({ ...flags })
    const report = await residency.report()
    output.result(report, clear + formatResidency(report, Date.now()))
  }
  await tell()
  // Who has stopped reading wants no more.
  while (watch && process.stdout.writable) {
    await Bun.sleep(refreshMs)
    await tell()
  }
}
