import type { Figure } from './figure.ts'
import type { BenchmarkRecord, BenchmarkRecords } from './record.ts'

/**
 * The figures that have a goal, as a table in Markdown, a benchmark after the other; below it, when and on what
 * they were taken.
 */
export function tableOf(records: BenchmarkRecords): string {
  const rows = Object.entries(records).flatMap(([name, { figures }]) =>
    figures.filter(({ goal }) => goal !== 'none').map((figure) => rowOf(name, figure)),
  )
  const takings = Map.groupBy(Object.entries(records), ([, record]) => takingOf(record))
  const lines = [...takings].map(
    ([taking, entries]) => `${entries.map(([name]) => name).join(', ')}: ${taking}`,
  )
  return `| benchmark | figure | here | peer | ratio | goal |
|---|---|---|---|---|---|
${rows.join('\n')}

${lines.join('\n\n')}
`
}

/** A number for people: three digits that count, thousands in groups. */
export function formatNumber(number: number): string {
  return number.toLocaleString('en', { maximumSignificantDigits: 3 })
}

function rowOf(benchmark: string, { name, value, unit, peer, peerValue, ratio, goal, pass }: Figure): string {
  const label = name.startsWith(`${benchmark}-`) ? name.slice(benchmark.length + 1) : name
  const cells = [
    `\`${benchmark}\``,
    label,
    `${formatNumber(value)} ${unit}`,
    `${peer}: ${formatNumber(peerValue)}`,
    formatNumber(ratio),
    `${goal}: ${pass ? 'met' : '**missed**'}`,
  ]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

function takingOf({ date, machine, versions }: BenchmarkRecord): string {
  const memory = `${Math.round(machine.memoryBytes / 2 ** 30)} GiB`
  const parts = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  return `${date.slice(0, 10)}, ${machine.cores} cores of ${machine.processor}, ${memory}, ${machine.system}; ${parts.join(', ')}.`
}
