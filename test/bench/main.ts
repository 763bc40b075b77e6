/**
 * Runs benchmarks: `npm run bench -- [name …] [--json]`. With `--json` each figure is one line of JSON; it exits
 * with 1 where a figure misses its goal.
 */
import { measureAuth } from './auth.ts'
import type { Figure } from './figure.ts'

const benchmarks: Readonly<Record<string, () => AsyncIterable<Figure>>> = { auth: measureAuth }

const words = process.argv.slice(2)
const json = words.includes('--json')
const names = words.filter((word) => !word.startsWith('--'))
const unknown = names.filter((name) => !Object.hasOwn(benchmarks, name))
if (unknown.length > 0) {
  process.stderr.write(
    `There is no benchmark ${unknown.join(', ')}; there is: ${Object.keys(benchmarks).join(', ')}\n`,
  )
  process.exit(2)
}
let missed = 0
for (const name of names.length > 0 ? names : Object.keys(benchmarks)) {
  for await (const figure of benchmarks[name]?.() ?? []) {
    if (!figure.pass) missed += 1
    process.stdout.write(`${json ? JSON.stringify(figure) : describe(figure)}\n`)
  }
}
process.exitCode = missed > 0 ? 1 : 0

function describe({ name, value, unit, peer, peerValue, ratio, goal, pass }: Figure): string {
  const numbers = `${value.toPrecision(4)} ${unit}, ${peer}: ${peerValue.toPrecision(4)}`
  return `${pass ? 'ok    ' : 'MISSED'} ${name}: ${numbers}; ratio ${ratio.toFixed(3)}, goal ${goal}`
}
