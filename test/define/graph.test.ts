import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { isDefinition } from '../../runtime/define/definition.ts'
import { defineFunction } from '../../runtime/define/function.ts'
import { noteFunctionName } from '../../runtime/define/function-name.ts'
import { defineGraph, input } from '../../runtime/define/graph.ts'
import { bind } from '../../runtime/define/graph-node.ts'
import { graphCall } from './graph-call.ts'

const double = defineFunction({ input: Type.Number(), handler: ({ input: value }) => 2 * value })

describe('defineGraph', () => {
  it('makes a function of its input and its answer', async () => {
    const asked = input(Type.Object({ x: Type.Number() }))
    const graph = defineGraph({
      access: 'public',
      input: asked,
      output: Type.Number(),
      answer: bind(double, bind(double, asked.x)),
    })
    expect(isDefinition(graph)).toBe(true)
    expect(Object.isFrozen(graph)).toBe(true)
    expect(graph).toMatchObject({ kind: 'graph', methods: ['POST'], access: 'public' })
    expect(graph.input).toMatchObject({ type: 'object' })
    expect(graph.graph?.nodes).toHaveLength(2)
    const calls = [1, 2].map((x) => graphCall({ input: { x } }))
    expect(await graph.answer(calls as never, new AbortController())).toEqual([4, 8])
  })

  it('needs no input', async () => {
    const graph = defineGraph({ answer: { four: bind(double, 2) } })
    expect(graph.methods).toEqual(['GET'])
    expect(graph.input).toBeUndefined()
    expect(await graph.answer([graphCall()] as never, new AbortController())).toEqual([{ four: 4 }])
  })

  it('names nodes by functions whose names are known only later', async () => {
    const broken = defineFunction({
      handler: () => {
        throw new Error('broken')
      },
    })
    const graph = defineGraph({ answer: bind(broken, undefined) })
    noteFunctionName(broken, 'deep/down/broken')
    const [outcome] = await graph.answer([graphCall()] as never, new AbortController())
    expect(outcome).toMatchObject({ message: 'Node "broken" failed.' })
  })

  it('refuses an input that is none, and options outside their bounds', () => {
    const asked = input(Type.Object({ x: Type.Number() }))
    expect(() => defineGraph({ input: asked.x, answer: asked.x })).toThrow(/what input\(\) made/)
    expect(() => defineGraph({ input: bind(double, 1), answer: 1 })).toThrow(/what input\(\) made/)
    expect(() => defineGraph({ timeoutMs: 0, answer: 1 })).toThrow(/"timeoutMs"/)
  })
})
