/**
 * Preloaded into the gateway by the benchmark `loop`: it watches how late a timer is that is due each 10 ms, and
 * tells on the unix socket `ISOPLEX_BENCH_LAG_SOCKET`. It watches from within, but through nothing of ours. While
 * the loop stands still all times that are due are missed, so each of them counts with the wait that it has.
 */
const intervalMs = 10
const socket = process.env.ISOPLEX_BENCH_LAG_SOCKET
const isGateway = process.argv[1]?.endsWith('runtime/cli/main.ts') ?? false

if (isGateway && socket !== undefined) watch(socket)

function watch(unix: string): void {
  let lags: number[] = []
  let dueMs = performance.now() + intervalMs
  const look = (): void => {
    const nowMs = performance.now()
    for (; dueMs <= nowMs; dueMs += intervalMs) lags.push(nowMs - dueMs)
    setTimeout(look, dueMs - nowMs).unref()
  }
  look()
  Bun.serve({
    unix,
    fetch({ method }) {
      const sorted = lags.toSorted((a, b) => a - b)
      if (method === 'DELETE') lags = []
      const at = (share: number): number | null => sorted[Math.ceil(share * sorted.length) - 1] ?? null
      return Response.json({ p50: at(0.5), p99: at(0.99), max: at(1), samples: sorted.length })
    },
  }).unref()
}
