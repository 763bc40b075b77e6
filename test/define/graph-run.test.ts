import { Type } from '@sinclair/typebox'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defineFunction } from '../../runtime/define/function.ts'
import { input } from '../../runtime/define/graph.ts'
import { type Edge, each } from '../../runtime/define/graph-edge.ts'
import { bind, derive, handle, when } from '../../runtime/define/graph-node.ts'
import { defineInference } from '../../runtime/define/inference.ts'
import { multiplexed } from '../../runtime/define/model.ts'
import { IsoplexError } from '../../runtime/error/error.ts'
import { gated, runAnswer as run } from './graph-call.ts'

const plus = defineFunction({
  input: Type.Object({ left: Type.Number(), right: Type.Number() }),
  output: Type.Number(),
  handler: ({ input: { left, right } }) => left + right,
})
const number = input(Type.Number())

describe('a graph that runs', () => {
  it('hands on what edges carry, and their properties', async () => {
    const pair = input(Type.Object({ pair: Type.Object({ one: Type.Number() }) }))
    const sum = bind(plus, { left: pair.pair.one, right: 2 })
    const answer = { sum, twice: bind(plus, { left: sum, right: sum }), fixed: ['a', 1] }
    expect(await run(answer, { input: { pair: { one: 3 } } }, pair)).toEqual({
      sum: 5,
      twice: 10,
      fixed: ['a', 1],
    })
  })

  it('runs what does not depend on each other side by side, and once however many need it', async () => {
    const [left, right] = [gated(), gated()]
    const both = { left: bind(left.fn, 1), right: bind(right.fn, 2) }
    const running = run([derive(both, ({ left, right }) => [left, right]), both.left])
    await Promise.all([left.asked, right.asked])
    right.open('R')
    left.open('L')
    expect(await running).toEqual([['L', 'R'], 'L'])
  })

  it('leaves out properties that come to nothing', async () => {
    const given = input(Type.Object({ text: Type.Optional(Type.String()) }))
    const echo = defineFunction({
      input: Type.Unknown(),
      handler: ({ input }) => Object.keys(input as object),
    })
    const answer = bind(echo, { text: given.text, other: 1 })
    expect(await run(answer, { input: {} }, given)).toEqual(['other'])
  })

  it('runs a node for each item, in batches, and keeps the order', async () => {
    const sizes: number[] = []
    const square = defineInference({
      input: Type.Number(),
      output: Type.Number(),
      model: multiplexed(() => null),
      batch: { maxSize: 3, maxDelayMs: 0 },
      infer(inputs) {
        sizes.push(inputs.length)
        return inputs.map((value) => value ** 2)
      },
    })
    const list = input(Type.Array(Type.Number()))
    expect(await run(bind(square, each(list)), { input: [1, 2, 3, 4, 5] }, list)).toEqual([1, 4, 9, 16, 25])
    expect(sizes).toEqual([3, 2])
    const sums = bind(
      plus,
      each(list, (item) => ({ left: item, right: list.length })),
    )
    expect(await run(sums, { input: [1, 2] }, list)).toEqual([3, 4])
    expect(await run(sums, { input: [] }, list)).toEqual([])
  })

  it('refuses to run a node for the items of what is no array', async () => {
    const list = derive(0, () => 'text' as unknown as number[])
    await expect(
      run(
        bind(
          plus,
          each(list, (item) => ({ left: item, right: 0 })),
        ),
      ),
    ).rejects.toThrow(/an array; it got string/)
  })

  it.each([
    [true, ['taken'], 1],
    [false, ['other'], -1],
  ])('takes the branch of a condition that is %s', async (condition, ran, answer) => {
    const runs: string[] = []
    const tell = (name: string, value: number) =>
      derive(0, () => {
        runs.push(name)
        return value
      })
    const flag = input(Type.Boolean())
    const choice = when(
      flag,
      () => tell('taken', 1),
      () => tell('other', -1),
    )
    expect(await run(choice, { input: condition }, flag)).toBe(answer)
    expect(runs).toEqual(ran)
  })

  it('gives nothing where a condition does not hold and there is no other branch, also within branches', async () => {
    const runs: string[] = []
    const flags = input(Type.Object({ outer: Type.Boolean(), inner: Type.Boolean() }))
    const value = when(flags.outer, () => {
      const first = derive(0, () => runs.push('first'))
      return when(
        derive(first, () => true),
        () => when(flags.inner, () => derive(first, (count) => count + 1)),
      )
    })
    expect(await run(value, { input: { outer: false, inner: true } }, flags)).toBeUndefined()
    expect(await run({ value }, { input: { outer: true, inner: false } }, flags)).toEqual({})
    expect(runs).toEqual(['first'])
    expect(await run(value, { input: { outer: true, inner: true } }, flags)).toBe(3)
  })

  it('hands a stream on as it is', async () => {
    const count = defineFunction({
      async *handler() {
        yield 1
        yield 2
      },
    })
    const stream = (await run(bind(count, undefined))) as AsyncIterable<number>
    expect(await Array.fromAsync(stream)).toEqual([1, 2])
  })

  it('tells a handle which model and deployment answer', async () => {
    const opened: unknown[] = []
    const answer = bind(handle(plus, { model: 'sums', deployment: 'adders' }), { left: 1, right: 1 })
    expect(await run(answer, { opened: (options) => opened.push(options) })).toBe(2)
    expect(opened).toEqual([{ model: 'sums', deployment: 'adders' }])
  })
})

/** What a node of a random graph needs: nodes before it, by their positions. */
const randomGraphs = fc
  .array(fc.array(fc.nat(), { maxLength: 4 }), { minLength: 1, maxLength: 24 })
  .map((nodes) =>
    nodes.map((needs, position) =>
      position === 0 ? [] : [...new Set(needs.map((need) => need % position))],
    ),
  )

describe('a random graph', () => {
  it('runs each node once, none before what it needs, and each as soon as it can', async () => {
    await fc.assert(
      fc.asyncProperty(randomGraphs, fc.infiniteStream(fc.nat()), async (graph, order) => {
        const begun: number[] = []
        const ended = new Set<number>()
        const gates = graph.map(() => Promise.withResolvers<void>())
        const edges: Edge<number>[] = []
        for (const [position, needs] of graph.entries()) {
          const inputs = needs.flatMap((need) => edges[need] ?? [])
          edges.push(
            derive(inputs, async (values) => {
              expect(values).toEqual(needs)
              begun.push(position)
              await gates[position]?.promise
              return position
            }),
          )
        }
        const running = run(edges)
        while (ended.size < graph.length) {
          await new Promise((resolve) => setTimeout(resolve, 0))
          const ready = graph.flatMap((needs, position) =>
            needs.every((need) => ended.has(need)) ? [position] : [],
          )
          expect(new Set(begun)).toEqual(new Set(ready))
          expect(begun.length).toBe(ready.length)
          const waiting = ready.filter((position) => !ended.has(position))
          const [pick = 0] = order.take(1)
          const next = waiting[pick % waiting.length] ?? 0
          ended.add(next)
          gates[next]?.resolve()
        }
        expect(await running).toEqual(graph.map((_, position) => position))
      }),
      { numRuns: 60 },
    )
  })

  it('fails by its first failure, runs nothing that needs it, and has all that runs let go', async () => {
    await fc.assert(
      fc.asyncProperty(randomGraphs, fc.nat(), async (graph, pick) => {
        const broken = pick % graph.length
        const begun = new Set<number>()
        let running = 0
        const edges: Edge<number>[] = []
        for (const [position, needs] of graph.entries()) {
          const inputs = needs.flatMap((need) => edges[need] ?? [])
          edges.push(
            derive(
              inputs,
              async (_, { signal }) => {
                begun.add(position)
                if (position === broken) throw new IsoplexError('REPLICA_CRASHED', 'broken')
                if (needs.length > 0 || broken === 0) return position
                running += 1
                await new Promise((resolve) => signal.addEventListener('abort', resolve))
                running -= 1
                throw signal.reason
              },
              { name: `n${position}` },
            ),
          )
        }
        const reachable = dependants(graph, broken)
        const waits = graph.some((needs, position) => needs.length === 0 && position !== broken)
        // A node that waits for the signal keeps those from running that need it: the broken one must not be such.
        fc.pre(broken === 0 || !waits || (graph[broken]?.length ?? 0) === 0)
        const error: unknown = await run(edges).catch((thrown: unknown) => thrown)
        expect(error).toMatchObject({ code: 'REPLICA_CRASHED', message: `Node "n${broken}": broken` })
        expect(running).toBe(0)
        for (const position of reachable) expect(begun.has(position)).toBe(false)
      }),
      { numRuns: 60 },
    )
  })
})

function dependants(graph: readonly (readonly number[])[], broken: number): ReadonlySet<number> {
  const found = new Set<number>()
  for (const [position, needs] of graph.entries()) {
    if (needs.some((need) => need === broken || found.has(need))) found.add(position)
  }
  return found
}

it('runs a graph of one input', async () => {
  expect(
    await run(
      derive(number, (value) => value + 1),
      { input: 1 },
      number,
    ),
  ).toBe(2)
})
