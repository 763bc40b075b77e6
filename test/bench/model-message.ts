import { type ModelCaseName, modelCases, sampleOf } from './model-case.ts'

/** How a request carries its numbers: as JSON, or as the bytes of float32. */
export type Form = 'json' | 'binary'

/** A request for a model's answer. */
export interface ModelMessage {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array<ArrayBuffer>
}

/** The request for a model that is sent over and over; the answer comes in the same form. */
export function messageOf(model: ModelCaseName, form: Form): ModelMessage {
  const { field } = modelCases[model]
  const numbers = sampleOf(modelCases[model])
  const type = form === 'json' ? 'application/json' : 'application/octet-stream'
  const headers = { 'content-type': type, accept: type }
  if (form === 'json') return { headers, body: JSON.stringify({ [field]: numbers }) }
  return { headers, body: new Uint8Array(Float32Array.from(numbers).buffer) }
}

/**
 * Asks two servers once, and compares the numbers that they answer with: what is faster because it computes
 * something else has won nothing.
 *
 * @throws {Error} where one does not answer, or they differ by more than rounding.
 */
export async function assertSameAnswers(
  ours: string,
  theirs: string,
  { headers, body }: ModelMessage,
): Promise<void> {
  const ask = async (url: string): Promise<number[]> => {
    const response = await fetch(url, { method: 'POST', headers, body })
    if (response.status !== 200) {
      throw new Error(`${url} answered with ${response.status}: ${await response.text()}`)
    }
    if (response.headers.get('content-type')?.startsWith('application/json')) {
      return Object.values((await response.json()) as Record<string, number | number[]>).flat()
    }
    return Array.from(new Float32Array(await response.arrayBuffer()))
  }
  const [mine, others] = [await ask(ours), await ask(theirs)]
  const differ = (value: number, index: number): boolean => !(Math.abs(value - (others[index] ?? 0)) < 1e-3)
  if (mine.length === 0 || mine.length !== others.length || mine.some(differ)) {
    throw new Error(`${ours} answers with ${mine.slice(0, 8)}, ${theirs} with ${others.slice(0, 8)}.`)
  }
}
