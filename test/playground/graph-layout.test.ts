import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type GraphEdgeFacts,
  type GraphNodeFacts,
  layOutGraph,
} from '../../runtime/playground/graph-layout.ts'

const nodeOf = (name: string, marks: readonly string[] = []): GraphNodeFacts => ({
  name,
  calls: name,
  model: '',
  marks,
})
const edgeOf = (from: string, to: string, kind = 'value'): GraphEdgeFacts => ({ from, to, path: '', kind })

describe('the drawing of a graph', () => {
  it('stands from left to right, both ends included', () => {
    const nodes = [nodeOf('detect'), nodeOf('turn'), nodeOf('read')]
    const edges = [
      edgeOf('input', 'detect'),
      edgeOf('detect', 'turn'),
      edgeOf('input', 'turn'),
      edgeOf('turn', 'read'),
    ]
    const { boxes, width } = layOutGraph({ nodes, edges: [...edges, edgeOf('read', 'answer')] })
    const byX = boxes.toSorted((left, right) => left.x - right.x)
    expect(byX.map(({ name }) => name)).toEqual(['input', 'detect', 'turn', 'read', 'answer'])
    expect(width).toBeGreaterThan(Math.max(...boxes.map((box) => box.x + box.width)))
  })

  it('has no input where nothing comes from it', () => {
    const { boxes } = layOutGraph({ nodes: [nodeOf('now')], edges: [edgeOf('now', 'answer')] })
    expect(boxes.map(({ name }) => name)).toEqual(['now', 'answer'])
  })

  it('keeps the lines of one pair apart by what they are for', () => {
    const edges = [edgeOf('input', 'read', 'items'), edgeOf('input', 'read'), edgeOf('input', 'read')]
    const { lines } = layOutGraph({ nodes: [nodeOf('read')], edges })
    expect(lines.map(({ kind }) => kind)).toEqual(['items', 'value'])
  })

  it('never has one box on another, nor anything to the left of what it needs', () => {
    const graphs = fc.array(fc.array(fc.nat(), { maxLength: 4 }), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(graphs, (needs) => {
        const nodes = needs.map((_, position) =>
          nodeOf(`n${position}`, position % 3 === 0 ? ['for each'] : []),
        )
        const edges = needs.flatMap((list, position) => [
          ...list.map((need) => edgeOf(position === 0 ? 'input' : `n${need % position}`, `n${position}`)),
          edgeOf(`n${position}`, 'answer'),
        ])
        const { boxes, height } = layOutGraph({ nodes, edges })
        const find = (name: string) => boxes.find((box) => box.name === name)
        for (const { from, to } of edges) {
          const [left, right] = [find(from), find(to)]
          expect((left?.x ?? 0) + (left?.width ?? 0)).toBeLessThan(right?.x ?? 0)
        }
        for (const box of boxes) {
          expect(box.y).toBeGreaterThanOrEqual(0)
          expect(box.y + box.height).toBeLessThanOrEqual(height)
          for (const other of boxes) {
            if (other === box || other.x !== box.x) continue
            expect(other.y >= box.y + box.height || box.y >= other.y + other.height).toBe(true)
          }
        }
      }),
    )
  })
})
