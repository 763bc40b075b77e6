import type { DeployedApplication, DeploymentTarget, DeployOrder } from '../../runtime/deploy/target.ts'

/** A cluster that holds in memory what is deployed, and notes what it is asked. */
export class MemoryCluster implements DeploymentTarget {
  readonly asked: string[] = []
  readonly orders: DeployOrder[] = []
  applications: DeployedApplication[] = []
  /** What the next deployment fails with; a version that was half up may stay where its process dies. */
  failure: { readonly error: Error; readonly halfUp: boolean } | null = null

  async connect(): ReturnType<DeploymentTarget['connect']> {
    this.asked.push('connect')
    return { version: '2.58.0', resources: { cpus: { total: 8, free: 4 } } }
  }

  async deploy(...[order, progress]: Parameters<DeploymentTarget['deploy']>): Promise<DeployedApplication> {
    this.asked.push(`deploy ${order.version}`)
    this.orders.push(order)
    progress(50, 100, 'deploy', 'half way')
    progress(60, 100, 'deploy', 'half way')
    const application: DeployedApplication = {
      name: `${order.name}-${order.version}-${String(order.replicas)}`,
      version: order.version,
      state: 'running',
      routePrefix: order.routePrefix,
      message: '',
      data: { status: 'RUNNING' },
    }
    const { failure } = this
    this.failure = null
    if (failure?.halfUp) this.applications.push({ ...application, routePrefix: null, state: 'starting' })
    if (failure) throw failure.error
    this.applications = [
      ...this.applications
        .filter(({ name }) => name !== application.name)
        .map((other) => ({ ...other, routePrefix: null })),
      application,
    ]
    return application
  }

  async rollback(name: string): Promise<DeployedApplication> {
    this.asked.push(`rollback ${name}`)
    const [before] = this.applications
    if (!before) throw new Error('there is nothing')
    this.applications = [{ ...before, routePrefix: '/' }]
    return before
  }

  async list(): Promise<readonly DeployedApplication[]> {
    return this.applications
  }

  async discard(name: string, version: string): Promise<void> {
    this.asked.push(`discard ${name} ${version}`)
    this.applications = this.applications.filter((one) => one.version !== version || one.routePrefix !== null)
  }

  async remove(name: string): Promise<void> {
    this.asked.push(`remove ${name}`)
    this.applications = []
  }
}
