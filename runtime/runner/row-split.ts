import { Kind, type TSchema } from '@sinclair/typebox'
import { brandDefinition, type Call, type Definition, toError } from '../define/definition.ts'
import { isTensorSchema } from '../define/schema.ts'
import { isTensor, type Tensor } from '../engine/tensor.ts'
import { joinRows, sliceRows } from './row-tensor.ts'

/** The name of a first dimension that says that a tensor is made of rows, which do not depend on each other. */
const rowDimension = 'batch'

type Answer = Definition['answer']

/** A request whose rows may go into several calls of the function. */
interface SplitRequest {
  readonly call: Call
  readonly rows: number
  /** What the calls so far have answered, with the rows that each was for. */
  readonly answered: { readonly rows: number; readonly outcome: unknown }[]
}

/** Some rows of a request, or all of them, in one call of the function. */
interface Part {
  readonly request: SplitRequest
  readonly call: Call
  readonly rows: number
}

/** How the rows of a function's inputs are counted and cut. */
interface RowPlan {
  readonly maxRows: number
  /** The fields of an input that are made of rows; `null` where the whole input is. */
  readonly fields: readonly string[] | null
  /** Whether a request may be cut, since its answer can be joined again. */
  readonly cuts: boolean
}

/**
 * Makes a definition count rows where the inputs of a batch are made of them: tensors whose first dimension is
 * called `batch`, by themselves or as fields of an object. No call of the function gets more rows than
 * `batch.maxSize`, in the order of the requests. A request that has more by itself is cut where the output is such a
 * tensor too, and its answer is joined again; otherwise it is a call of its own. What fails in one call fails the
 * requests of that call only. Any other definition is given back as it is.
 */
export function splitByRows(definition: Definition): Definition {
  const plan = planOf(definition)
  if (plan === null) return definition
  const answer: Answer = (calls, callers) => {
    const rows = calls.reduce((sum, { input }) => sum + rowsOf(input, plan), 0)
    if (rows <= plan.maxRows) return definition.answer(calls, callers)
    return answerInParts(calls, plan, (some) => definition.answer(some, callers))
  }
  return brandDefinition({ ...definition, answer })
}

function planOf({ batch, input, output }: Definition): RowPlan | null {
  if (!batch || !input) return null
  const facts = { maxRows: batch.maxSize, cuts: output !== undefined && hasRows(output) }
  if (hasRows(input)) return { ...facts, fields: null }
  if (input[Kind] !== 'Object') return null
  const properties = Object.entries(input.properties as Readonly<Record<string, TSchema>>)
  const fields = properties.filter(([, schema]) => hasRows(schema)).map(([name]) => name)
  return fields.length > 0 ? { ...facts, fields } : null
}

function hasRows(schema: TSchema): boolean {
  return isTensorSchema(schema) && schema.dims[0] === rowDimension
}

async function answerInParts(
  calls: readonly Call[],
  plan: RowPlan,
  answer: (calls: readonly Call[]) => ReturnType<Answer>,
): Promise<readonly unknown[]> {
  const requests = calls.map((call): SplitRequest => ({ call, rows: rowsOf(call.input, plan), answered: [] }))
  for (const group of groupsOf(requests, plan)) {
    const outcomes = await answerGroup(group, answer)
    for (const [index, { request, rows }] of group.entries())
      request.answered.push({ rows, outcome: outcomes[index] })
  }
  return requests.map(answerOf)
}

async function answerGroup(
  parts: readonly Part[],
  answer: (calls: readonly Call[]) => ReturnType<Answer>,
): Promise<readonly unknown[]> {
  try {
    return await answer(parts.map(({ call }) => call))
  } catch (error) {
    return parts.map(() => toError(error))
  }
}

/**
 * As many parts as fit into one call at a time, in their order; one that does not fit by itself is alone. A request
 * may have millions, so none is made before those before it are answered, but the one that did not fit.
 */
function* groupsOf(requests: readonly SplitRequest[], plan: RowPlan): Generator<readonly Part[]> {
  let group: Part[] = []
  let room = plan.maxRows
  for (const request of requests) {
    for (const part of partsOf(request, plan)) {
      if (part.rows > room && group.length > 0) {
        yield group
        group = []
        room = plan.maxRows
      }
      if (isLost(request)) break
      group.push(part)
      room -= part.rows
    }
  }
  if (group.length > 0) yield group
}

function* partsOf(request: SplitRequest, plan: RowPlan): Generator<Part> {
  const { call, rows } = request
  const { input } = call
  if (rows <= plan.maxRows || !plan.cuts || !isEven(input, plan)) {
    yield { request, call, rows }
    return
  }
  for (let start = 0; start < rows; start += plan.maxRows) {
    const end = Math.min(rows, start + plan.maxRows)
    yield { request, call: { ...call, input: cut(input, plan, start, end) }, rows: end - start }
  }
}

/** Whether nobody waits for a further part of a request: another has failed, or its caller has gone. */
function isLost({ call, answered }: SplitRequest): boolean {
  return answered.at(-1)?.outcome instanceof Error || call.signal.aborted
}

/** The rows of an input: where its fields do not agree, the most that one of them has. */
function rowsOf(input: unknown, plan: RowPlan): number {
  return tensorsOf(input, plan).reduce((most, { dims: [rows = 0] }) => Math.max(most, rows), 0)
}

/** Whether all fields have as many rows. */
function isEven(input: unknown, plan: RowPlan): boolean {
  return new Set(tensorsOf(input, plan).map(({ dims: [rows] }) => rows)).size === 1
}

function tensorsOf(input: unknown, { fields }: RowPlan): Tensor[] {
  if (fields === null) return isTensor(input) ? [input] : []
  const values = input as Readonly<Record<string, unknown>>
  return fields.map((name) => values[name]).filter(isTensor)
}

function cut(input: unknown, { fields }: RowPlan, start: number, end: number): unknown {
  const slice = (value: unknown): unknown => (isTensor(value) ? sliceRows(value, start, end) : value)
  if (fields === null) return slice(input)
  const values = input as Readonly<Record<string, unknown>>
  return { ...values, ...Object.fromEntries(fields.map((name) => [name, slice(values[name])])) }
}

/** The answer of a request: that of its only part, the first error, or the rows of all parts again. */
function answerOf({ call, rows, answered }: SplitRequest): unknown {
  const last = answered.at(-1)
  if (last?.outcome instanceof Error) return last.outcome
  if (last?.rows === rows) return last.outcome
  if (answered.reduce((sum, part) => sum + part.rows, 0) < rows || !last) return toError(call.signal.reason)
  const tensors = answered.map(({ outcome }) => outcome).filter(isTensor)
  const fits =
    tensors.length === answered.length && tensors.every(({ dims }, at) => dims[0] === answered[at]?.rows)
  const joined = fits ? joinRows(tensors) : null
  return (
    joined ??
    new Error('infer() must return a tensor with a row for each row of its input, whatever their number.')
  )
}
