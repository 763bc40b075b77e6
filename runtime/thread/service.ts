import type { MessagePort } from 'node:worker_threads'
import { errorCodes } from '../error/codes.ts'
import { toWire } from '../error/wire.ts'
import type { ServiceAnswer, ServiceMethods, ServiceQuestion } from './question.ts'

/** What a thread needs to answer questions. */
export interface ServiceOptions {
  /** Where the questions come from. */
  readonly port: MessagePort | null
  /** Questions may come before they are there: each waits, and each is told why where they cannot be had. */
  readonly methods: Promise<ServiceMethods>
  /** Hears of failures that are not the fault of who asks. */
  readonly onFailure: (method: string, error: unknown) => void
}

/** Answers the questions of a {@link ServiceThread} by name, each as soon as its method has ended. */
export function answerQuestions({ port, methods, onFailure }: ServiceOptions): void {
  // Each question is told; before the first one there is nobody to tell.
  methods.catch(() => undefined)
  const reply = (message: ServiceAnswer): void => port?.postMessage(message)
  const answer = async ({ id, method, parameters, reports }: ServiceQuestion): Promise<void> => {
    try {
      const hear = (progress: unknown): void => reply({ id, progress })
      const given = reports ? withReporter(parameters, hear) : parameters
      reply({ id, value: await (await methods)[method]?.(...(given as never[])) })
    } catch (error) {
      const wire = toWire(error)
      if (errorCodes[wire.code].status >= 500) onFailure(method, error)
      reply({ id, error: wire })
    }
  }
  port?.on('message', (question: ServiceQuestion) => void answer(question))
}

/** Who asked took the function out of the first parameter, since it cannot cross. */
function withReporter(
  [first, ...others]: readonly unknown[],
  onProgress: (progress: unknown) => void,
): unknown[] {
  return [{ ...(first as object), onProgress }, ...others]
}
