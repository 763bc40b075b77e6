/** Resolves at the first signal to end; a second one ends the process at once. */
export async function untilSignalled(): Promise<void> {
  const signals = ['SIGINT', 'SIGTERM'] as const
  await new Promise<void>((resolveSignal) => {
    for (const signal of signals) process.once(signal, () => resolveSignal())
  })
  for (const signal of signals) process.once(signal, () => process.exit(1))
}
