import { parseArgs } from 'node:util'
import { benchmarks } from './benchmarks.ts'
import type { Figure } from './figure.ts'
import { drawFigures } from './plot.ts'
import { keepFigures, readRecords } from './record.ts'
import { formatNumber, tableOf } from './table.ts'

const names = Object.keys(benchmarks)
const usage = `Usage: npm run bench -- [name ...] [options]

Benchmarks: ${names.join(', ')}; all of them where none is named.

  --json   one line of JSON for each figure
  --quick  one short round of everything: to see that it runs, not how fast
  --save   keep the figures in test/bench/figures.json, and draw test/bench/figures.svg
  --plot   draw figures.svg from the figures that are kept; measure nothing
  --table  print the figures that are kept as a table; measure nothing
  --help   print this

It exits with 1 where a figure misses its goal or a benchmark fails, and with 2 where the command line is wrong.
Run it on a machine that does nothing else.
`

process.exitCode = await main(process.argv.slice(2))

/** Gives the exit code. */
async function main(words: readonly string[]): Promise<number> {
  const { values: flags, positionals } = readWords(words)
  if (flags.help) process.stdout.write(usage)
  if (flags.table) process.stdout.write(tableOf(await readRecords()))
  if (flags.plot) await drawFigures(await readRecords())
  if (flags.help || flags.table || flags.plot) return 0
  const unknown = positionals.filter((name) => !Object.hasOwn(benchmarks, name))
  if (unknown.length > 0) {
    process.stderr.write(`There is no benchmark ${unknown.join(', ')}; there is: ${names.join(', ')}\n`)
    return 2
  }
  let failures = 0
  for (const name of positionals.length > 0 ? positionals : names) {
    const figures: Figure[] = []
    try {
      for await (const figure of benchmarks[name]?.({ quick: flags.quick }) ?? []) {
        figures.push(figure)
        process.stdout.write(`${flags.json ? JSON.stringify(figure) : describe(figure)}\n`)
      }
      if (flags.save) await keepFigures(name, figures)
    } catch (error) {
      // The others are still worth their time.
      process.stderr.write(`${name} failed: ${error instanceof Error ? error.stack : error}\n`)
      failures += 1
    }
    failures += figures.filter(({ pass }) => !pass).length
  }
  if (flags.save) await drawFigures(await readRecords())
  return failures > 0 ? 1 : 0
}

function readWords(words: readonly string[]) {
  const flag = { type: 'boolean', default: false } as const
  const options = { json: flag, quick: flag, save: flag, plot: flag, table: flag, help: flag }
  try {
    return parseArgs({ args: [...words], options, allowPositionals: true })
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${usage}`)
    process.exit(2)
  }
}

function describe({ name, value, unit, peer, peerValue, ratio, goal, pass }: Figure): string {
  const numbers = `${formatNumber(value)} ${unit}, ${peer}: ${formatNumber(peerValue)}`
  const verdict = goal === 'none' ? 'info  ' : pass ? 'ok    ' : 'MISSED'
  return `${verdict} ${name}: ${numbers}; ratio ${ratio.toFixed(3)}, goal ${goal}`
}
