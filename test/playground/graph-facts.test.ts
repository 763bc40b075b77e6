import { describe, expect, it } from 'vitest'
import { readGraph, sentenceOf } from '../../runtime/playground/graph-facts.ts'

const said = {
  nodes: [
    { name: 'detect', function: 'ocr/detect', model: null, after: [], fanOut: false, condition: null },
    {
      name: 'read',
      function: 'ocr/read',
      model: 'reader',
      after: ['detect'],
      fanOut: true,
      condition: 'otherwise',
      onFailure: { retries: 1, fallback: true },
    },
    { name: 'pick', function: null, onFailure: { retries: 2, fallback: false }, condition: 'taken' },
  ],
  edges: [
    { from: 'input', to: 'detect', path: 'picture', kind: 'value' },
    { from: 'detect', to: 'read', path: 'crops', kind: 'items' },
    { from: 'detect', to: 'read', path: '', kind: 'condition' },
  ],
}

describe('what a server says of a graph', () => {
  it('is read, and said in sentences', () => {
    const graph = readGraph(said)
    expect(graph.nodes.map((node) => sentenceOf(node, graph))).toEqual([
      'calls ocr/detect; after input',
      'calls ocr/read; with the model reader; for each; if not; 1 retry; fallback; after detect',
      'code of the graph; if so; 2 retries',
    ])
  })

  it.each([null, {}, { nodes: 5, edges: 'none' }, { nodes: [null, 3], edges: [[]] }])(
    'is empty where it is something else: %j',
    (graph) => {
      const { nodes, edges } = readGraph(graph)
      expect(nodes).toEqual([])
      expect(edges.every(({ from }) => from === '')).toBe(true)
    },
  )
})
