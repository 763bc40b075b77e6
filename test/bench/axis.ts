/** Where values lie on an axis. */
export interface Axis {
  /** The values that the axis names, in rising order; the first and the last are its ends. */
  readonly ticks: readonly number[]
  /** From 0, the first tick, to 1, the last. */
  place(value: number): number
}

/** An axis from 0 to a round number that is not below any of the values, in 2 to 5 equal steps. */
export function linearAxis(values: readonly number[]): Axis {
  const max = Math.max(0, ...values)
  if (max === 0) return linearAxis([1])
  const step = roundUp(max / 5)
  const steps = Math.ceil((max / step) * (1 - 1e-9))
  const ticks = Array.from({ length: steps + 1 }, (_, index) => tidy(index * step))
  const end = ticks.at(-1) ?? max
  return { ticks, place: (value) => value / end }
}

/** An axis on which equal factors lie equally far apart, between two round numbers around all the values. */
export function logAxis(values: readonly number[]): Axis {
  const positive = values.filter((value) => value > 0)
  if (positive.length === 0) return logAxis([1])
  const start = roundDown(Math.min(...positive))
  const end = Math.max(roundUp(Math.max(...positive)), roundUp(start * 1.5))
  const all: number[] = []
  for (let tick = start; tick <= end; tick = roundUp(tick * 1.5)) all.push(tick)
  const inner = all.length > 7 ? all.filter((tick) => isPowerOfTen(tick)) : all
  const ticks = [...new Set([start, ...inner, end])]
  const span = Math.log(end / start)
  return { ticks, place: (value) => Math.log(value / start) / span }
}

/** The lowest of …, 0.1, 0.2, 0.5, 1, 2, 5, 10, … that is not below a value. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  // A little is forgiven, so that 0.3 / 3 counts as 0.1.
  const factor = [1, 2, 5, 10].find((each) => each * power >= value * (1 - 1e-9)) ?? 10
  return tidy(factor * power)
}

/** The highest of them that is not above it. */
function roundDown(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  const factor = [10, 5, 2, 1].find((each) => each * power <= value * (1 + 1e-9)) ?? 1
  return tidy(factor * power)
}

function isPowerOfTen(value: number): boolean {
  return Number.isInteger(Number(Math.log10(value).toFixed(9)))
}

/** Takes off what binary fractions leave: 0.30000000000000004. */
function tidy(value: number): number {
  return Number(value.toPrecision(12))
}
