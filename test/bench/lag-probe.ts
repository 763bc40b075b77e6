/**
 * Preloaded into the gateway by the benchmark `loop`: it watches how late a timer of 10 ms is, and tells on the unix
 * socket `ISOPLEX_BENCH_LAG_SOCKET`. It watches from within, but through nothing of ours.
 */
const intervalMs = 10
const socket = process.env.ISOPLEX_BENCH_LAG_SOCKET
const isGateway = process.argv[1]?.endsWith('runtime/cli/main.ts') ?? false

if (isGateway && socket !== undefined) watch(socket)

function watch(unix: string): void {
  let lags: number[] = []
  const sample = (): void => {
    const startedMs = performance.now()
    setTimeout(() => {
      lags.push(Math.max(0, performance.now() - startedMs - intervalMs))
      sample()
    }, intervalMs).unref()
  }
  sample()
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
