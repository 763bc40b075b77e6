/** What the contexts of deployment actions have beside those of other actions. */

import type { ActionContext } from '../define/action-context.ts'
import type { DeploymentFields } from '../define/deployment-context.ts'
import { DeploymentWork, startDeploymentFields } from '../deploy/deployment-work.ts'
import type { DeploymentTarget } from '../deploy/target.ts'
import type { ExtendContext } from '../job/run/context-extension.ts'

/** Makes what extends the contexts of actions that deploy, by a cluster of an address. */
export function createActionExtension(openTarget: (address: string) => DeploymentTarget): ExtendContext {
  return async ({ program, params, host }) => {
    if (program.deployment === null) return null
    const options = {
      program: program.deployment,
      params,
      facts: await host.describeDeployment(),
      host,
      openTarget,
    }
    const work = new DeploymentWork(options)
    const categories = new Set(Object.keys(program.weights))
    return {
      fields: { ...startDeploymentFields(options) },
      members: (context, place) =>
        work.membersOf({
          // The fields are there already: they are those that this extension starts with.
          context: context as ActionContext & DeploymentFields,
          categories: place === null ? categories : null,
        }),
      result: (fields) => resultOf(fields as DeploymentFields),
    }
  }
}

function resultOf({
  deployed,
  serveAppId,
  registrationError,
}: DeploymentFields): Readonly<Record<string, unknown>> {
  return {
    deployed,
    ...(serveAppId !== null && { serveApplication: serveAppId }),
    ...(registrationError !== null && { registrationError }),
  }
}
