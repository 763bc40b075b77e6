import {
  type Static,
  type TInteger,
  type TNumber,
  type TObject,
  type TOptional,
  type TSchema,
  type TUnion,
  Type,
} from '@sinclair/typebox'
import { type ActionOptions, type ActionResult, type AnyAction, createAction } from './action.ts'
import type { Awaitable } from './context.ts'
import { type Definition, type FunctionTypes, isDefinition } from './definition.ts'
import type { DeploymentContext, DeploymentStepContext } from './deployment-context.ts'
import { defineStep, type Step, type StepDefinition, type StepOutcome, type StepResult } from './step.ts'

/** The parameters of {@link deploymentParams}. */
export type DeploymentParams = TObject<{
  num_cpus: TOptional<TNumber>
  num_gpus: TOptional<TNumber>
  memory: TOptional<TNumber>
  replicas: TOptional<
    TUnion<[TInteger, TObject<{ min: TInteger; max: TInteger; target_ongoing: TOptional<TNumber> }>]>
  >
  max_ongoing_requests: TOptional<TInteger>
  max_models_per_replica: TOptional<TInteger>
}>

/**
 * What a deployment may be asked for, by the names that Synapse has for it. To take further parameters, spread it:
 * `Type.Object({ ...deploymentParams.properties, model: modelId() })`.
 */
export const deploymentParams: DeploymentParams = Type.Object({
  num_cpus: Type.Optional(
    Type.Number({ minimum: 0, description: 'Cores of one replica; 0 leaves it to Ray.' }),
  ),
  num_gpus: Type.Optional(Type.Number({ minimum: 0, description: 'GPUs of one replica, fractions too.' })),
  memory: Type.Optional(Type.Number({ minimum: 0, description: 'Memory of one replica, in bytes.' })),
  replicas: Type.Optional(
    Type.Union(
      [
        Type.Integer({ minimum: 1, maximum: 10_000 }),
        Type.Object({
          min: Type.Integer({ minimum: 1, maximum: 10_000 }),
          max: Type.Integer({ minimum: 1, maximum: 10_000 }),
          target_ongoing: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
        }),
      ],
      { description: 'Replicas: a number, or bounds within which Ray follows the load.' },
    ),
  ),
  max_ongoing_requests: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 65_536, description: 'Requests at a time in one replica.' }),
  ),
  max_models_per_replica: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1024, description: 'Models that one replica holds at a time.' }),
  ),
})

/** What a deployment gives that has no code of its own. */
export interface DeploymentResult {
  /** What the plugin is deployed as. */
  readonly serveAppName: string
  /** Where it answers. */
  readonly routePrefix: string
  readonly deployed: boolean
  /** What the backend calls it; not there where it is not registered. */
  readonly serveApplication?: string | number
  /** Why the registration failed; not there where it did not. */
  readonly registrationError?: string
}

const resultSchema = Type.Object({
  serveAppName: Type.String(),
  routePrefix: Type.String(),
  deployed: Type.Boolean(),
  serveApplication: Type.Optional(Type.Union([Type.String(), Type.Number()])),
  registrationError: Type.Optional(Type.String()),
})

/** What a deployment action may say of itself. */
export interface DeploymentOptions extends Omit<ActionOptions, 'batchSize' | 'models'> {
  /** The function that is deployed, with all of its plugin: the one that answers at the route prefix itself. */
  readonly entrypoint: Definition
  /** In the place of what the environment and `config.yaml` say. */
  readonly serveAppName?: string
  /** In the place of what the environment and `config.yaml` say; begins with a slash. */
  readonly routePrefix?: string
  /** Variables that the replicas see. Whoever may look at the cluster can read them: no secret belongs here. */
  readonly environment?: Readonly<Record<string, string>>
}

/** What an action deploys, as the process that runs its jobs sees it. */
export interface DeploymentProgram {
  readonly entrypoint: Definition
  readonly serveAppName: string | null
  readonly routePrefix: string | null
  readonly environment: Readonly<Record<string, string>>
}

/** A deployment without code of its own: it initializes, deploys and registers. */
export interface SimpleDeployment<Params extends TSchema> extends DeploymentOptions {
  /** @default {@link deploymentParams} */
  readonly params?: Params
  readonly result?: never
  readonly execute?: never
  readonly steps?: never
  readonly conclude?: never
}

/** A deployment whose work is one function. */
export interface ExecutedDeployment<Params extends TSchema, Result extends TSchema | undefined>
  extends DeploymentOptions {
  /** @default {@link deploymentParams} */
  readonly params?: Params
  readonly result?: Result
  execute(context: DeploymentContext<Static<Params>>): Awaitable<ActionResult<Result>>
  readonly steps?: never
  readonly conclude?: never
}

/** A deployment whose work is done step by step, each recorded. */
export interface SteppedDeployment<Params extends TSchema, Result extends TSchema | undefined>
  extends DeploymentOptions {
  /** @default {@link deploymentParams} */
  readonly params?: Params
  readonly result?: Result
  readonly steps: Iterable<DeploymentStep<Static<Params>>>
  /** @default that of actions, with `deployed`, and `serveApplication` or `registrationError` where there is one */
  conclude?(context: DeploymentStepContext<Static<Params>>): Awaitable<ActionResult<Result>>
  readonly execute?: never
}

/** What {@link defineDeploymentStep} takes: a step whose context is that of a deployment. */
export interface DeploymentStepDefinition<Params>
  extends Omit<StepDefinition<Params>, 'canSkip' | 'execute' | 'rollback'> {
  readonly canSkip?: (context: DeploymentStepContext<Params>) => Awaitable<boolean>
  readonly execute: (
    context: DeploymentStepContext<Params>,
  ) => Awaitable<StepOutcome | undefined> | Awaitable<void>
  readonly rollback?: (context: DeploymentStepContext<Params>, result: StepResult) => Awaitable<void>
}

/** A step of a deployment action. Steps of other actions can be used as well. */
export interface DeploymentStep<Params = unknown> extends DeploymentStepDefinition<Params> {
  readonly weight: number
}

/** Defines a step of a deployment action. @throws {TypeError} as `defineStep`. */
export function defineDeploymentStep<Params = unknown>(
  definition: DeploymentStepDefinition<Params>,
): DeploymentStep<Params> {
  return defineStep(definition as StepDefinition<Params>) as DeploymentStep<Params>
}

type Deployment<Params extends TSchema, Output> = Definition & { readonly kind: 'action' } & FunctionTypes<
    undefined,
    undefined,
    Static<Params>,
    Output
  >

/**
 * Defines a deployment action: a job that puts this plugin on a Ray cluster and registers it. The version that serves goes
 * on until the new one runs. Without `execute` and `steps` it does the three things in their order, as steps named after
 * them: `initialize`, `deploy`, `register`.
 *
 * @example
 * import detect from './ocr/detect.ts'
 *
 * export default defineDeployment({ entrypoint: detect })
 *
 * @throws {TypeError} where an option is outside its bounds, or both of `execute` and `steps` are there.
 */
export function defineDeployment<Params extends TSchema = DeploymentParams>(
  definition: SimpleDeployment<Params>,
): Deployment<Params, DeploymentResult>
export function defineDeployment<
  Params extends TSchema = DeploymentParams,
  Result extends TSchema | undefined = undefined,
>(
  definition: ExecutedDeployment<Params, Result> | SteppedDeployment<Params, Result>,
): Deployment<Params, Result extends TSchema ? Static<Result> : unknown>
export function defineDeployment(definition: DeploymentOptions): Definition {
  const { entrypoint, serveAppName, routePrefix, environment, ...action } = definition as AnyDeployment
  if (!isDefinition(entrypoint) || entrypoint.kind === 'action') {
    throw new TypeError('"entrypoint" must be the function to deploy: the default export of its file.')
  }
  for (const name of ['input', 'models', 'batchSize', 'infer']) {
    if (Object.hasOwn(action, name)) throw new TypeError(`A deployment has no "${name}".`)
  }
  const deployment: DeploymentProgram = Object.freeze({
    entrypoint,
    serveAppName: serveAppName === undefined ? null : assertName(serveAppName),
    routePrefix: routePrefix === undefined ? null : assertPrefix(routePrefix),
    environment: assertEnvironment(environment ?? {}),
  })
  const hasCode = action.execute !== undefined || action.steps !== undefined
  return createAction(
    { params: deploymentParams, progress: usualWeights, ...(hasCode ? action : { ...action, ...usualWork }) },
    deployment,
  )
}

/** A deployment as it is taken apart: the compiler has checked what its types promise. */
type AnyDeployment = AnyAction & DeploymentOptions

const usualWeights = Object.freeze({ initialize: 1, deploy: 8, register: 1 })

const usualSteps: readonly DeploymentStep[] = Object.freeze([
  defineDeploymentStep({
    name: 'initialize',
    weight: usualWeights.initialize,
    execute: async ({ rayInit }) => void (await rayInit()),
  }),
  defineDeploymentStep({
    name: 'deploy',
    weight: usualWeights.deploy,
    execute: async ({ deploy }) => void (await deploy()),
    rollback: ({ undeploy }) => undeploy(),
  }),
  defineDeploymentStep({
    name: 'register',
    weight: usualWeights.register,
    execute: async ({ registerServeApplication }) => void (await registerServeApplication()),
  }),
])

const usualWork = Object.freeze({
  // The process of a deployment gives its steps the context of one.
  steps: usualSteps as unknown as readonly Step[],
  result: resultSchema,
  conclude: (context: unknown): DeploymentResult => resultOf(context as DeploymentStepContext),
})

function resultOf(context: DeploymentStepContext): DeploymentResult {
  const { serveAppName, routePrefix, deployed, serveAppId, registrationError } = context
  return {
    serveAppName,
    routePrefix,
    deployed,
    ...(serveAppId !== null && { serveApplication: serveAppId }),
    ...(registrationError !== null && { registrationError }),
  }
}

function assertName(name: unknown): string {
  if (typeof name === 'string' && /^[^\p{Cc}/#?]{1,512}$/u.test(name)) return name
  throw new TypeError(
    `"serveAppName" must be 1 to 512 characters without / # ?; got ${JSON.stringify(name)}.`,
  )
}

function assertPrefix(prefix: unknown): string {
  if (typeof prefix === 'string' && /^\/(?:[\w.~-]+(?:\/[\w.~-]+)*)?$/.test(prefix)) return prefix
  const rule = 'must be a path of plain segments such as /digits/v1'
  throw new TypeError(`"routePrefix" ${rule}; got ${JSON.stringify(prefix)}.`)
}

function assertEnvironment(environment: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(environment)) {
    if (/^[A-Za-z_]\w*$/.test(name) && typeof value === 'string') continue
    throw new TypeError(`"environment.${name}" must be a text under the name of a variable.`)
  }
  return Object.freeze({ ...environment }) as Readonly<Record<string, string>>
}
