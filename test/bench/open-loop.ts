/**
 * The load generator: reads a `Traffic` from its standard input, sends it, and writes a `TrafficOutcome`. Requests
 * go out at their times whatever the replies do, and latency counts from those times, so that a server that stalls
 * is charged for all who would have come meanwhile.
 */
import type { Traffic, TrafficOutcome } from './traffic.ts'
import { TrafficSender } from './traffic-sender.ts'

const traffic: Traffic = await Bun.stdin.json()
const startMs = performance.now()
const countFromMs = startMs + traffic.warmUpSeconds * 1_000
const endMs = countFromMs + traffic.seconds * 1_000
const times = { url: new URL(traffic.url), startMs, countFromMs, endMs }
const senders = traffic.classes.map((each, index) => new TrafficSender(each, { ...times, seed: index + 1 }))

let nowMs = startMs
let cpuAtStart: NodeJS.CpuUsage | null = null
while (nowMs < endMs) {
  if (nowMs >= countFromMs) cpuAtStart ??= process.cpuUsage()
  for (const sender of senders) sender.tick(nowMs)
  await Bun.sleep(1)
  nowMs = performance.now()
}
const { user, system } = process.cpuUsage(cpuAtStart ?? undefined)
const generatorCores = (user + system) / 1_000 / (nowMs - countFromMs)
const givenUpMs = endMs + (traffic.patienceSeconds ?? 10) * 1_000
while (senders.some(({ pending }) => pending > 0) && performance.now() < givenUpMs) await Bun.sleep(1)
const outcome: TrafficOutcome = { classes: senders.map((sender) => sender.finish()), generatorCores }
process.stdout.write(JSON.stringify(outcome))
