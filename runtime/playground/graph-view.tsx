import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import { sentenceOf } from './graph-facts.ts'
import { type GraphBox, type GraphFacts, layOutGraph } from './graph-layout.ts'

/** A drawing that is too wide is made smaller down to this share of its size, and scrolls where that is not enough. */
const leastScale = 0.8

/** A drawing of a graph, and the same as a list. */
export function GraphView({ graph }: { readonly graph: GraphFacts }): JSX.Element {
  const { width, height, boxes, lines } = useMemo(() => layOutGraph(graph), [graph])
  const count = graph.nodes.length
  const label = `${count} ${count === 1 ? 'node' : 'nodes'} from the input to the answer; the list below has them all`
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard. */}
      <section class="graph" aria-label="Drawing of the graph" tabIndex={0}>
        <svg
          viewBox={`0 0 ${width} ${height}`}
          width={width}
          style={{ minWidth: `${leastScale * width}px` }}
          role="img"
          aria-label={label}
        >
          {lines.map(({ from, to, kind, path }) => (
            <path key={`${from} ${to} ${kind}`} class={`line ${kind}`} d={path} />
          ))}
          {boxes.map((box) => (
            <Box key={box.name} box={box} />
          ))}
        </svg>
      </section>
      <details>
        <summary>As a list</summary>
        <ol class="graph-list">
          {graph.nodes.map((node) => (
            <li key={node.name}>
              <b>{node.name}</b>: {sentenceOf(node, graph)}
            </li>
          ))}
        </ol>
      </details>
    </>
  )
}

function Box({ box: { node, texts, x, y, width, height } }: { readonly box: GraphBox }): JSX.Element {
  return (
    <g class={node ? (node.calls === '' ? 'node code' : 'node') : 'end'}>
      <title>{titleOf(node, texts)}</title>
      <rect x={x} y={y} width={width} height={height} rx={node ? 8 : height / 2} />
      {texts.map(({ kind, text }, position) => (
        <text key={kind} class={kind} x={x + width / 2} y={y + 20 + 16 * position}>
          {text}
        </text>
      ))}
    </g>
  )
}

/** All that a box says, also what it has no room for. */
function titleOf(node: GraphBox['node'], texts: GraphBox['texts']): string {
  const said = node ? [node.name, node.calls, node.model, ...node.marks] : texts.map(({ text }) => text)
  return said.filter((text) => text !== '').join(', ')
}
