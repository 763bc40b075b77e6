/** How late the gateway's event loop was, in milliseconds, as `lag-probe.ts` has seen it. */
export interface Lags {
  readonly p50: number
  readonly p99: number
  readonly max: number
  readonly samples: number
}

/** The environment of a gateway that is to be watched; it tells on this unix socket. */
export function lagEnvironment(socket: string): Readonly<Record<string, string>> {
  return {
    BUN_OPTIONS: `--preload=${new URL('./lag-probe.ts', import.meta.url).pathname}`,
    ISOPLEX_BENCH_LAG_SOCKET: socket,
  }
}

/** Forgets what was seen so far. */
export async function forgetLags(socket: string): Promise<void> {
  await fetch('http://localhost/', { unix: socket, method: 'DELETE' })
}

/** What was seen since it was forgotten last. */
export async function readLags(socket: string): Promise<Lags> {
  return (await (await fetch('http://localhost/', { unix: socket })).json()) as Lags
}
