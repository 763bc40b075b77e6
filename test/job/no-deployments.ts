import type { ActionRights } from '../../runtime/job/crew/action-host.ts'
import type { DeploymentDesk } from '../../runtime/job/crew/deployment-desk.ts'

const refuse = (): Promise<never> => Promise.reject(new Error('nothing is deployed here'))

/** The desk of a server whose actions deploy nothing. */
export const noDeployments: DeploymentDesk = { describe: refuse, prepareBundle: refuse, register: refuse }

/** What a job's process is answered there. */
export const noDeploymentHost: Omit<ActionRights, 'describeModel' | 'prepareModel'> = {
  describeDeployment: refuse,
  prepareBundle: refuse,
  registerApplication: refuse,
}
