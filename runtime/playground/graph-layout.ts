/** What is drawn of a graph: what `GET /-/routes` says of it. */
export interface GraphFacts {
  readonly nodes: readonly GraphNodeFacts[]
  readonly edges: readonly GraphEdgeFacts[]
}

/** A node, in the words of the server. */
export interface GraphNodeFacts {
  readonly name: string
  /** The function that it calls; empty for code of the graph's own. */
  readonly calls: string
  /** The model that it asks for; empty where that is left to the function. */
  readonly model: string
  /** What is to be known of how it runs, a few words each. */
  readonly marks: readonly string[]
}

/** Where a value goes: a node's name, or `input` and `answer`. */
export interface GraphEdgeFacts {
  readonly from: string
  readonly to: string
  readonly path: string
  readonly kind: string
}

/** A line of text in a box. */
export interface GraphText {
  readonly kind: 'node-name' | 'calls' | 'model' | 'marks'
  readonly text: string
}

/** A box of the drawing. */
export interface GraphBox {
  readonly name: string
  /** `null` for both ends of the graph. */
  readonly node: GraphNodeFacts | null
  /** What stands in it, line by line: its name first. */
  readonly texts: readonly GraphText[]
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** A line of the drawing, as the path of an SVG. */
export interface GraphLine {
  readonly from: string
  readonly to: string
  readonly kind: string
  readonly path: string
}

/** Where everything of a drawing is. */
export interface GraphLayout {
  readonly width: number
  readonly height: number
  readonly boxes: readonly GraphBox[]
  readonly lines: readonly GraphLine[]
}

interface Slot {
  /** What it is a box of; `null` where only a line passes. */
  readonly name: string | null
  readonly texts: readonly GraphText[]
  readonly level: number
  readonly height: number
  readonly before: Slot[]
  y: number
}

/** A column is as wide as its longest text. */
const letterWidth = 7.2
const padding = 24
const leastWidth = 64
/** The longest text that a box has room for. */
const mostLetters = 22
const gapX = 28
const gapY = 18
const margin = 8
const endHeight = 32
const lineHeight = 16

/**
 * Lays a graph out from left to right: everything stands to the right of what it needs, and a line that passes a column
 * has a place of its own there, so that none runs through a box. Columns are ordered by where their lines come from, after
 * K. Sugiyama, S. Tagawa and M. Toda, "Methods for visual understanding of hierarchical system structures", 1981.
 */
export function layOutGraph({ nodes, edges }: GraphFacts): GraphLayout {
  const levels = levelsOf(nodes, edges)
  const slots = new Map<string, Slot>()
  const addSlot = (key: string, slot: Pick<Slot, 'name' | 'texts' | 'level' | 'height'>): Slot => {
    const added: Slot = { ...slot, before: [], y: 0 }
    slots.set(key, added)
    return added
  }
  const nodeOf = (name: string): GraphNodeFacts | null => nodes.find((node) => node.name === name) ?? null
  for (const [name, level] of levels) {
    const node = nodeOf(name)
    const texts = textsOf(name, node)
    addSlot(name, { name, texts, level, height: node ? 14 + texts.length * lineHeight : endHeight })
  }
  const pairs = new Map(edges.map((edge) => [`${edge.from} ${edge.to} ${edge.kind}`, edge]))
  const lines = [...pairs.values()].flatMap(({ from, to, kind }) => {
    const [first, last] = [slots.get(from), slots.get(to)]
    if (!first || !last) return []
    const way = [first]
    for (let level = first.level + 1; level < last.level; level += 1) {
      const key = `${from} ${level}`
      way.push(slots.get(key) ?? addSlot(key, { name: null, texts: [], level, height: 2 }))
    }
    way.push(last)
    for (const [position, slot] of way.entries()) {
      const before = way[position - 1]
      if (before && !slot.before.includes(before)) slot.before.push(before)
    }
    return [{ from, to, kind, way }]
  })
  const all = [...slots.values()]
  const height = placeColumns(all)
  const columns = columnsOf(all)
  const boxes = all.flatMap(({ name, texts, level, y, height }): GraphBox[] =>
    name === null ? [] : [{ name, node: nodeOf(name), texts, y, height, ...columnAt(columns, level) }],
  )
  const width = Math.max(...boxes.map((box) => box.x + box.width)) + margin
  const paths = lines.map(({ way, ...line }) => ({ ...line, path: pathOf(way, columns) }))
  return { width, height, boxes, lines: paths }
}

/** What stands in the box of a node, or of an end of the graph. */
function textsOf(name: string, node: GraphNodeFacts | null): readonly GraphText[] {
  const { calls = '', model = '', marks = [] } = node ?? {}
  const texts: readonly GraphText[] = [
    { kind: 'node-name', text: name },
    { kind: 'calls', text: calls },
    { kind: 'model', text: model },
    { kind: 'marks', text: marks.join(', ') },
  ]
  return texts.flatMap(({ kind, text }) => (text === '' ? [] : [{ kind, text: shortened(text) }]))
}

function shortened(text: string): string {
  return text.length > mostLetters ? `${text.slice(0, mostLetters - 1)}…` : text
}

/** The column of each node and of both ends: one more than that of what it needs. */
function levelsOf(
  nodes: readonly GraphNodeFacts[],
  edges: readonly GraphEdgeFacts[],
): ReadonlyMap<string, number> {
  const hasInput = edges.some(({ from }) => from === 'input')
  const levels = new Map(hasInput ? [['input', 0]] : [])
  // A server names each node after those that it needs.
  for (const { name } of nodes) levels.set(name, 1 + highest(name))
  levels.set('answer', 1 + Math.max(-1, ...levels.values()))
  return levels

  function highest(name: string): number {
    const from = edges.flatMap((edge) => (edge.to === name ? (levels.get(edge.from) ?? []) : []))
    return Math.max(hasInput ? 0 : -1, ...from)
  }
}

/** Gives every slot its place in its column; the columns stand around one middle. The height of all of it. */
function placeColumns(slots: readonly Slot[]): number {
  const columns: Slot[][] = []
  for (const slot of slots) {
    columns[slot.level] ??= []
    columns[slot.level]?.push(slot)
  }
  const heightOfColumn = (column: readonly Slot[]): number =>
    column.reduce((sum, { height }) => sum + height + gapY, -gapY)
  const tallest = Math.max(...columns.map((column) => heightOfColumn(column ?? [])))
  for (const column of columns) {
    if (!column) continue
    const sorted = column.toSorted((left, right) => comesFrom(left) - comesFrom(right))
    let y = margin + (tallest - heightOfColumn(column)) / 2
    for (const slot of sorted) {
      slot.y = y
      y += slot.height + gapY
    }
  }
  return tallest + 2 * margin
}

/** The mean height from which the lines to a slot come. */
function comesFrom({ before }: Slot): number {
  return before.length === 0 ? 0 : before.reduce((sum, slot) => sum + middleOf(slot), 0) / before.length
}

function middleOf({ y, height }: Slot): number {
  return y + height / 2
}

type Column = Pick<GraphBox, 'x' | 'width'>

/** Where each column stands, which is as wide as its widest box. */
function columnsOf(slots: readonly Slot[]): readonly Column[] {
  const widths: number[] = []
  for (const { level, texts } of slots) {
    const letters = Math.max(0, ...texts.map(({ text }) => text.length))
    widths[level] = Math.max(widths[level] ?? leastWidth, letters * letterWidth + padding)
  }
  let next = margin
  return widths.map((width) => {
    const x = next
    next += width + gapX
    return { x, width }
  })
}

function columnAt(columns: readonly Column[], level: number): Column {
  return columns[level] ?? { x: margin, width: leastWidth }
}

function pathOf(way: readonly Slot[], columns: readonly Column[]): string {
  return way
    .slice(1)
    .map((slot, position) => {
      const from = way[position] ?? slot
      const [left, right] = [columnAt(columns, from.level), columnAt(columns, slot.level)]
      const [x1, y1, x2, y2] = [left.x + left.width, middleOf(from), right.x, middleOf(slot)]
      const bend = (x2 - x1) / 2
      const through = slot.name === null ? ` H${x2 + right.width}` : ''
      return `${position === 0 ? `M${x1} ${y1}` : ''} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}${through}`
    })
    .join('')
}
