import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { arch, cpus, loadavg, release, totalmem, type } from 'node:os'
import packageFile from '../../package.json' with { type: 'json' }
import type { Figure } from './figure.ts'

/** The last figures of one benchmark, and what they were taken with. */
export interface BenchmarkRecord {
  /** When, as ISO 8601 has it. */
  readonly date: string
  readonly machine: Machine
  /** Versions of what took part. */
  readonly versions: Readonly<Record<string, string>>
  readonly figures: readonly Figure[]
}

/** What figures were taken on. */
export interface Machine {
  readonly processor: string
  readonly cores: number
  readonly memoryBytes: number
  readonly system: string
  /** Processes that ran or wanted to, on average over the last minute of the benchmark. */
  readonly load: number
}

/** The records of all benchmarks that have run here, by name. */
export type BenchmarkRecords = Readonly<Record<string, BenchmarkRecord>>

const recordsFile = new URL('./figures.json', import.meta.url).pathname
const counted = ['elysia', 'onnxruntime-node', 'onnxruntime-web', 'jose', 'prom-client'] as const

/** The last figures of each benchmark. */
export async function readRecords(file: string = recordsFile): Promise<BenchmarkRecords> {
  return existsSync(file) ? JSON.parse(await readFile(file, 'utf8')) : {}
}

/** Keeps the figures of one benchmark in the place of its last ones. */
export async function keepFigures(
  name: string,
  figures: readonly Figure[],
  file: string = recordsFile,
): Promise<void> {
  const record = { date: new Date().toISOString(), machine: machineOf(), versions: await versions(), figures }
  const records = Object.entries({ ...(await readRecords(file)), [name]: record })
  const sorted = Object.fromEntries(records.toSorted(([a], [b]) => a.localeCompare(b)))
  await writeFile(file, `${JSON.stringify(sorted, null, 2)}\n`)
}

function machineOf(): Machine {
  const processors = cpus()
  const [load = 0] = loadavg()
  return {
    processor: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    memoryBytes: totalmem(),
    // Without what a distribution or a host adds to the kernel's version.
    system: `${type()} ${/^[\d.]+/.exec(release())?.[0] ?? ''} ${arch()}`,
    load,
  }
}

async function versions(): Promise<Readonly<Record<string, string>>> {
  const packages = counted.map((name) => [name, packageFile.dependencies[name]])
  return {
    isoplex: packageFile.version,
    bun: Bun.version,
    ...Object.fromEntries(packages),
    wrk: await wrkVersion(),
  }
}

/** wrk tells its version first, and ends with 1 as if it had been asked for something wrong. */
async function wrkVersion(): Promise<string> {
  if (Bun.which('wrk') === null) return 'none'
  const text = await new Response(Bun.spawn(['wrk', '-v'], { stdout: 'pipe' }).stdout).text()
  return /^wrk (?:debian\/)?(\S+)/.exec(text)?.[1] ?? 'unknown'
}
