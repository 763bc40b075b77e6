import { descendantsOf, makeProject, startServer } from '../support/server.ts'
import { bodyOf, lineBody, readFunction, readModel } from './bench-files.ts'
import type { BenchmarkOptions } from './benchmarks.ts'
import { compare, type Figure } from './figure.ts'

const samplingCycles = 10
const megabyte = 2 ** 20

/**
 * What 1,000 loads and unloads leave behind: three models ask by turns for the room of one, so that each request
 * loads its model and unloads the one before.
 */
export async function* measureMemory({ quick }: BenchmarkOptions): AsyncGenerator<Figure, void, undefined> {
  const uses = [
    { name: 'digits', body: bodyOf('digits') },
    { name: 'vad', body: bodyOf('vad') },
    { name: 'line', body: lineBody() },
  ] as const
  await using project = await makeProject()
  for (const { name } of uses) {
    await project.write(`functions/${name}.ts`, await readFunction(name))
    await project.write(`functions/_models/${name}/model.onnx`, await readModel(name))
  }
  const flags = ['--replicas', '1', '--max-runners-per-replica', '1', '--max-models-per-replica', '1']
  await using server = await startServer(project, 'serve', flags)
  const cycles = quick ? 130 : 1_000
  const samples: { readonly cycle: number; readonly bytes: number }[] = []
  for (let cycle = 1; cycle <= cycles; cycle += 1) {
    const use = uses[cycle % uses.length] ?? uses[0]
    const { status, text } = await server.call(`/${use.name}`, {
      token: await server.token(use.name),
      body: use.body,
      headers: { 'content-type': 'application/json' },
    })
    if (status !== 200) throw new Error(`Cycle ${cycle} failed: ${text}`)
    if (cycle % samplingCycles === 0) samples.push({ cycle, bytes: await treeBytes(server.pid) })
  }
  const between = (first: number, last: number): number => {
    const values = samples.filter(({ cycle }) => cycle >= first && cycle <= last).map(({ bytes }) => bytes)
    return values.reduce((sum, bytes) => sum + bytes, 0) / values.length / megabyte
  }
  yield compare({
    name: 'memory',
    unit: 'MB',
    peer: 'cycles 90 to 110',
    goal: '<= 1.1',
    values: [between(cycles - 99, cycles)],
    peerValues: [between(90, 110)],
    notes: { cycles, megabytes: samples.map(({ bytes }) => Math.round(bytes / megabyte)) },
  })
}

/** The memory of a process and all that descend from it: pages that several share count for each in part. */
export async function treeBytes(pid: number): Promise<number> {
  const pids = [pid, ...(await descendantsOf(pid))]
  const sizes = await Promise.all(pids.map(proportionalBytes))
  return sizes.reduce((sum, bytes) => sum + bytes, 0)
}

/** The proportional set size of a process (proc_pid_smaps_rollup(5)); 0 where it has just ended. */
async function proportionalBytes(pid: number): Promise<number> {
  const text = await Bun.file(`/proc/${pid}/smaps_rollup`)
    .text()
    .catch(() => '')
  return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1_024
}
