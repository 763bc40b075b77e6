import { Type } from '@sinclair/typebox'
import {
  type DeploymentResult,
  defineDeployment,
  defineDeploymentStep,
  defineFunction,
  defineStep,
  deploymentParams,
  modelId,
} from '../../runtime/index.ts'
import { assertType, type Equal } from './equality.ts'

const entrypoint = defineFunction({ handler: () => 1 })

// Without code the result is known.
const simple = defineDeployment({ entrypoint })
assertType<Equal<NonNullable<typeof simple.types>['output'], DeploymentResult>>()

// Further parameters stand beside the usual ones.
const Params = Type.Object({ ...deploymentParams.properties, model: modelId() })
defineDeployment({
  entrypoint,
  params: Params,
  result: Type.Object({ name: Type.String() }),
  async execute(context) {
    assertType<Equal<typeof context.params.model, string>>()
    assertType<Equal<typeof context.params.num_gpus, number | undefined>>()
    assertType<Equal<typeof context.deployed, boolean>>()
    assertType<Equal<typeof context.serveAppId, string | number | null>>()
    return { name: (await context.deploy({ replicas: { min: 1, max: 2 } })).name }
  },
})

defineDeployment({
  entrypoint,
  result: Type.Object({ name: Type.String() }),
  // @ts-expect-error the result has a name
  execute: () => ({ name: 7 }),
})

// Steps of other actions are steps of a deployment, too.
defineDeployment({
  entrypoint,
  steps: [
    defineStep({ name: 'plain', execute: () => undefined }),
    defineDeploymentStep({ name: 'deploy', execute: async ({ deploy }) => void (await deploy()) }),
  ],
})

// @ts-expect-error what is deployed must be named
defineDeployment({})
// @ts-expect-error replicas are a number or bounds
defineDeployment({ entrypoint, execute: ({ deploy }) => deploy({ replicas: 'two' }) })
