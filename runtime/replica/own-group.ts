import { AutoscalePolicy } from './autoscale-policy.ts'
import type { ReplicaGroup } from './deployment.ts'
import type { Scheduler } from './scheduler.ts'

/** How many requests there are. */
export interface Activity {
  /** Those in runners' hands. */
  ongoing: number
  /** Those that wait. */
  queued: number
}

/** Counts the requests of each deployment of a scheduler, by the deployment's name. */
export function activitiesOf({ pool, backlog }: SchedulerActivity): ReadonlyMap<string, Activity> {
  const activities = new Map<string, Activity>()
  const of = (name: string): Activity => {
    const activity = activities.get(name) ?? { ongoing: 0, queued: 0 }
    activities.set(name, activity)
    return activity
  }
  for (const { deployment, sent } of pool.links) of(deployment.name).ongoing += sent.size
  for (const { deployment, waiting } of backlog) of(deployment).queued += waiting
  return activities
}

function requestsOf(scheduler: Scheduler): number {
  const activities = activitiesOf({ pool: scheduler.pool, backlog: scheduler.backlog() })
  return [...activities.values()].reduce((sum, { ongoing, queued }) => sum + ongoing + queued, 0)
}

/** As much of a scheduler as tells what it has to do. */
interface SchedulerActivity {
  readonly pool: Pick<Scheduler['pool'], 'links'>
  readonly backlog: ReturnType<Scheduler['backlog']>
}

/** The replicas of one deployment, as many as it is to have by its setting or by the load. */
export class OwnGroup {
  readonly id: string
  readonly scheduler: Scheduler
  /** Whether no deployment is to have it any more: it goes once it has nothing to do. */
  retired = false
  #policy: AutoscalePolicy | null

  /** @param open makes the scheduler, with so many replicas */
  constructor({ id, replicas }: ReplicaGroup, open: (replicas: number) => Scheduler) {
    this.id = id
    this.#policy = typeof replicas === 'number' ? null : new AutoscalePolicy(replicas)
    this.scheduler = open(typeof replicas === 'number' ? replicas : replicas.min)
  }

  /** Takes other bounds, or another number. */
  follow({ replicas }: ReplicaGroup): void {
    this.retired = false
    const { size } = this.scheduler.pool
    this.#policy = typeof replicas === 'number' ? null : new AutoscalePolicy(replicas, size)
    this.scheduler.pool.resize(this.#policy?.current ?? Number(replicas))
  }

  /** A request is about to come: where no replica is there, one is started. */
  wake(nowMs: number): void {
    const { pool } = this.scheduler
    if (pool.size === 0 && this.#policy) pool.resize(this.#policy.observe(1, nowMs))
  }

  /** Looks at the load, and has replicas come or go by it. */
  scale(nowMs: number): void {
    if (this.#policy && !this.retired)
      this.scheduler.pool.resize(this.#policy.observe(requestsOf(this.scheduler), nowMs))
  }
}
