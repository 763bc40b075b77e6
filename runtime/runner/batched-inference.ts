import type { Awaitable } from '../define/context.ts'
import type { AnyIterable } from '../define/handle.ts'
import { BatchSource } from './batch-source.ts'

/** How many inputs are inferred. */
export interface BatchedInference<Input, Output> {
  /** The most inputs in one batch. */
  readonly batchSize: number
  /** Answers a batch, in the order of its inputs; an `Error` stands for an input that has no answer. */
  readonly answer: (batch: readonly Input[]) => Awaitable<readonly (Output | Error)[]>
}

/**
 * Answers many inputs in batches; gives the answers in the order of the inputs. While one batch is answered the next is
 * gathered; no more is held than those two and the answers that are being read. A batch that is not full is answered
 * once the inputs have ended.
 *
 * What the inputs or `answer` throw is thrown after the answers of all batches before, and an `Error` among the answers
 * in its place. Where nobody reads on, or one is thrown, the batch in hand is waited for and the inputs are ended
 * (`return`).
 */
export async function* inferInBatches<Input, Output>(
  inputs: AnyIterable<Input>,
  { batchSize, answer }: BatchedInference<Input, Output>,
): AsyncGenerator<Output, void, undefined> {
  const source = new BatchSource(inputs, batchSize)
  const rest = createRest()
  let inHand: Promise<readonly (Output | Error)[]> = Promise.resolve([])
  let left = false
  let failed = false
  const begin = (batch: readonly Input[]): Promise<readonly (Output | Error)[]> => {
    if (!left && batch.length > 0) inHand = answerWhole(batch, { batchSize, answer, rest })
    return batch.length > 0 ? inHand : Promise.resolve([])
  }
  let gathered = source.next()
  let answered = gathered.then(begin)
  try {
    for (;;) {
      const next = gathered.then(() => source.next())
      const nextAnswered = Promise.all([next, answered]).then(([batch]) => begin(batch))
      // It is listened to in the turn after this.
      nextAnswered.catch(() => undefined)
      const answers = await answered
      if (answers.length === 0) return
      gathered = next
      answered = nextAnswered
      for (const each of answers) {
        if (each instanceof Error) throw each
        yield each
      }
    }
  } catch (error) {
    failed = true
    throw error
  } finally {
    left = true
    await inHand.catch(() => undefined)
    const ended = source.end()
    await (failed ? ended.catch(() => undefined) : ended)
  }
}

async function answerWhole<Input, Output>(
  batch: readonly Input[],
  { answer, rest }: BatchedInference<Input, Output> & { readonly rest: () => Promise<void> },
): Promise<readonly (Output | Error)[]> {
  await rest()
  const answers = await answer(batch)
  if (Array.isArray(answers) && answers.length === batch.length) return answers
  const got = Array.isArray(answers) ? `${answers.length} results` : typeof answers
  throw new Error(
    `infer() must return one result for each of the ${batch.length} inputs; it returned ${got}.`,
  )
}

/** The longest that answers may follow each other before timers and messages, a cancelling one too, have their turn. */
const restlessMs = 20

/** Makes what lets the event loop turn, where it has not for long: promises alone never let it. */
function createRest(): () => Promise<void> {
  let restedMs = performance.now()
  return async () => {
    if (performance.now() - restedMs < restlessMs) return
    await new Promise<void>((resolve) => setImmediate(resolve))
    restedMs = performance.now()
  }
}
