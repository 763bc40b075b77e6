import type { DeploymentChange } from '../../config/deployment-config.ts'
import { deploymentChangeSchema } from '../../config/deployment-schema.ts'
import type { DeploymentList } from '../../replica/deployment-report.ts'
import { readJson } from '../json-body.ts'
import { jsonReply } from '../reply.ts'
import type { SystemHandler } from '../system-route.ts'
import type { AdministrationRoutesOptions } from './options.ts'

/** What is done over HTTP to deployments, and what is told of them. */
export interface DeploymentHandlers {
  readonly list: SystemHandler
  readonly show: SystemHandler
  readonly redeploy: SystemHandler
}

/** Makes the handlers of deployments. */
export function createDeploymentHandlers(options: AdministrationRoutesOptions): DeploymentHandlers {
  const { deployments, urlOf, identify, body, log } = options
  return {
    async list({ request }) {
      await identify(request)
      return jsonReply({ url: urlOf().href, deployments: deployments.list() } satisfies DeploymentList)
    },
    async show({ request, parameters: [name = ''] }) {
      await identify(request)
      return jsonReply(deployments.find(name))
    },
    async redeploy({ request, parameters: [name = ''] }) {
      const { actor } = await identify(request)
      // The schema has checked what its type cannot say.
      const change = (await readJson(request, deploymentChangeSchema, body)) as DeploymentChange
      const report = await deployments.redeploy(name, change)
      log.info('A deployment was changed', { deployment: name, actor, settings: Object.keys(change) })
      return jsonReply(report)
    },
  }
}
