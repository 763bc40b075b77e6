import { isIsoplexError } from '../../error/error.ts'
import { type Problem, toProblem } from '../../error/wire.ts'
import type { Progress } from '../../model/progress.ts'
import { jsonReply } from '../reply.ts'

/** A line of the reply to long work: any number of the first kind, then one of the others. */
export type ProgressLine =
  | { readonly progress: Progress }
  | { readonly result: unknown }
  | { readonly problem: Problem }

/** Work that tells how far it has come. */
export type ReportingWork = (onProgress: (progress: Progress) => void) => Promise<unknown>

/** The media type of lines of JSON. */
export const linesMediaType = 'application/x-ndjson'

/**
 * Answers with what long work gives: lines of JSON with its progress where the client asks for
 * {@link linesMediaType}, and the result alone where not. A failure after the first line is its last line.
 *
 * @param onDefect hears of a failure that is no error of ours, and so is hidden from the client
 */
export async function progressReply(
  { headers }: Request,
  work: ReportingWork,
  onDefect: (error: unknown) => void,
): Promise<Response> {
  if (headers.get('accept') !== linesMediaType) return jsonReply(await work(() => undefined), 201)
  const encoder = new TextEncoder()
  let left = false
  const lines = new ReadableStream<Uint8Array>({
    async start(controller) {
      const say = (line: ProgressLine): void => {
        if (!left) controller.enqueue(encoder.encode(`${JSON.stringify(line)}\n`))
      }
      say(await outcomeOf(() => work((progress) => say({ progress })), onDefect))
      if (!left) controller.close()
    },
    // The work goes on: what it does takes effect as a whole, or not at all.
    cancel() {
      left = true
    },
  })
  return new Response(lines, { headers: { 'content-type': linesMediaType, 'cache-control': 'no-store' } })
}

async function outcomeOf(
  work: () => Promise<unknown>,
  onDefect: (error: unknown) => void,
): Promise<ProgressLine> {
  try {
    return { result: await work() }
  } catch (error) {
    if (!isIsoplexError(error)) onDefect(error)
    return { problem: toProblem(error) }
  }
}
