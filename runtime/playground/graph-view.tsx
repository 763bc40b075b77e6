import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import { sentenceOf } from './graph-facts.ts'
import { type GraphBox, type GraphFacts, layOutGraph } from './graph-layout.ts'

/** The longest text that a box has room for. */
const roomInBox = 22

/** A drawing of a graph, and the same as a list. */
export function GraphView({ graph }: { readonly graph: GraphFacts }): JSX.Element {
  const { width, height, boxes, lines } = useMemo(() => layOutGraph(graph), [graph])
  const count = graph.nodes.length
  const label = `${count} ${count === 1 ? 'node' : 'nodes'} from the input to the answer; the list below has them all`
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard. */}
      <section class="graph" aria-label="Drawing of the graph" tabIndex={0}>
        <svg viewBox={`0 0 ${width} ${height}`} width={width} height={height} role="img" aria-label={label}>
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

function Box({ box: { name, node, x, y, width, height } }: { readonly box: GraphBox }): JSX.Element {
  const texts = node
    ? [
        ...(node.calls === '' ? [] : [['calls', node.calls] as const]),
        ...(node.model === '' ? [] : [['model', node.model] as const]),
        ...(node.marks.length === 0 ? [] : [['marks', node.marks.join(', ')] as const]),
      ]
    : []
  return (
    <g class={node ? (node.calls === '' ? 'node code' : 'node') : 'end'}>
      <title>{[name, ...texts.map(([, text]) => text)].join(', ')}</title>
      <rect x={x} y={y} width={width} height={height} rx={node ? 8 : height / 2} />
      <text class="node-name" x={x + width / 2} y={y + (node ? 20 : height / 2 + 4)}>
        {shortened(name)}
      </text>
      {texts.map(([kind, text], position) => (
        <text key={kind} class={kind} x={x + width / 2} y={y + 36 + 16 * position}>
          {shortened(text)}
        </text>
      ))}
    </g>
  )
}

function shortened(text: string): string {
  return text.length > roomInBox ? `${text.slice(0, roomInBox - 1)}…` : text
}
