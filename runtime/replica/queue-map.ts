import type { RequestQueue } from './queue.ts'
import type { Work } from './ticket.ts'

/** What tells queues apart: the deployment and the model. */
export type QueueSubject = Pick<Work, 'deployment' | 'model'>

/** Every queue, by deployment and model. Two steps find one, and no key is put together for each request. */
export class QueueMap {
  readonly #byDeployment = new Map<string, Map<string, RequestQueue>>()
  readonly #create: (subject: QueueSubject) => RequestQueue

  /** @param create makes the queue that is asked for and not there */
  constructor(create: (subject: QueueSubject) => RequestQueue) {
    this.#create = create
  }

  /** The queue of a deployment and a model. */
  of(subject: QueueSubject): RequestQueue {
    const { deployment, model } = subject
    const byModel = this.#byDeployment.get(deployment.id)
    const known = byModel?.get(model?.key ?? '')
    if (known) return known
    const queue = this.#create(subject)
    if (byModel) byModel.set(model?.key ?? '', queue)
    else this.#byDeployment.set(deployment.id, new Map([[model?.key ?? '', queue]]))
    return queue
  }

  /** Forgets a queue, unless another has come in its place. */
  delete(queue: RequestQueue): void {
    const { deployment, model } = queue
    const byModel = this.#byDeployment.get(deployment.id)
    if (byModel?.get(model?.key ?? '') !== queue) return
    byModel.delete(model?.key ?? '')
    if (byModel.size === 0) this.#byDeployment.delete(deployment.id)
  }

  *[Symbol.iterator](): Generator<RequestQueue, void, undefined> {
    for (const byModel of this.#byDeployment.values()) yield* byModel.values()
  }
}
