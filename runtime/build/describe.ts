import { Kind, type TObject, type TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { DeploymentSettings } from '../config/deployment-config.ts'
import { settingsContradictions } from '../config/deployment-contradictions.ts'
import { deploymentSettingsSchema } from '../config/deployment-schema.ts'
import { structureMistake } from '../config/structure-mistake.ts'
import type { ActionProgram } from '../define/action.ts'
import { createChecker } from '../define/check.ts'
import { type Definition, isDefinition } from '../define/definition.ts'
import type { GraphProgram } from '../define/graph-program.ts'
import { acceptedMediaTypes, findSlots } from '../define/slot.ts'
import { type FunctionRoute, toFunctionRoute } from '../route/function-route.ts'
import { flatName } from './bundle-folder.ts'
import { describeGraph, type GraphManifest } from './graph-manifest.ts'
import { toJsonSchema } from './json-schema.ts'
import type { ActionManifest, FunctionManifest, JsonSchema } from './manifest.ts'
import { functionManifestSchema } from './manifest-schema.ts'

/** Where a definition comes from. */
export interface DefinitionOrigin {
  /** The source file, relative to the project. */
  readonly file: string
  /** The same, relative to the functions folder. */
  readonly functionFile: string
  readonly bundle: string
  readonly sources: readonly string[]
  /**
   * What the other function files define that it imports, each after the name of its file.
   * @default none
   */
  readonly imported?: readonly (readonly [name: string, definition: unknown])[]
}

/**
 * Turns a function's definition into the data that the gateway knows it by.
 *
 * @throws {TypeError} where an option, a schema or a path parameter is not acceptable.
 * @throws {IsoplexError} `BUILD_FAILED` where file name or `route` make no route.
 */
export function describeFunction(definition: Definition, origin: DefinitionOrigin): FunctionManifest {
  const route = toFunctionRoute(origin.functionFile, overridesOf(definition))
  const schemas = schemasOf(definition, flatName(route.name))
  assertParameters(definition.params, route)
  if (definition.kind === 'action') assertAction(definition, route)
  if (definition.kind === 'inference' && typeof definition.model?.load !== 'function') {
    throw new TypeError('The option "model" must be made by onnx() or multiplexed().')
  }
  const { description, timeoutMs, maxBodyBytes, maxOngoingRequests, batch, model, input, action } = definition
  const { deployment } = definition
  if (deployment !== undefined) assertDeployment(deployment)
  const manifest = {
    name: route.name,
    file: origin.file,
    route: route.pattern.route,
    path: route.pattern.path,
    kind: definition.kind,
    methods: definition.methods,
    bundle: origin.bundle,
    sources: origin.sources,
    description,
    access: definition.access ?? 'token',
    runs: definition.runs ?? ['server'],
    idempotent: definition.idempotent ?? true,
    timeoutMs,
    maxBodyBytes,
    maxOngoingRequests,
    batch:
      batch &&
      withoutAbsent({ maxSize: batch.maxSize, maxDelayMs: batch.maxDelayMs, maxBytes: batch.maxBytes }),
    model: model && withoutAbsent({ default: model.default, maxModelsPerReplica: model.maxModelsPerReplica }),
    calls: calledNames(origin.imported ?? []),
    deployment,
    action: action && describeAction(action),
    graph: definition.graph && describeOwnGraph(definition, definition.graph, origin),
    ...schemas,
    accepts: input ? acceptedMediaTypes(input) : [],
  }
  return validateManifest(withoutAbsent(manifest))
}

function describeOwnGraph(
  { runs = ['server'] }: Definition,
  program: GraphProgram,
  { imported = [] }: DefinitionOrigin,
): GraphManifest {
  const names = new Map(
    imported.flatMap(([file, definition]): [Definition, string][] =>
      isDefinition(definition) ? [[definition, toFunctionRoute(file, overridesOf(definition)).name]] : [],
    ),
  )
  return describeGraph(program, { runs, nameOf: (definition) => names.get(definition) ?? null })
}

/** The names of the functions that can be called; `undefined` where there are none. */
function calledNames(imported: NonNullable<DefinitionOrigin['imported']>): readonly string[] | undefined {
  const names = imported.flatMap(([name, definition]) =>
    isDefinition(definition) && definition.kind !== 'action' ? [overridesOf(definition).name ?? name] : [],
  )
  return names.length > 0 ? names : undefined
}

function describeAction({ category, timeoutMs, models, weights, steps }: ActionProgram): ActionManifest {
  return { category, timeoutMs, models, weights, steps: steps?.map(({ name }) => name) ?? [] }
}

/** What a function may say and an action may not: a compiler would not let it pass. */
const functionOptions = [
  ...(['query', 'output', 'model', 'batch', 'warmup', 'setup', 'teardown'] as const),
  ...(['idempotent', 'maxOngoingRequests', 'deployment'] as const),
]

function assertAction(definition: Definition, { pattern: { route, parameters } }: FunctionRoute): void {
  if (!definition.action) throw new TypeError('An action must be made by defineAction().')
  const [parameter] = parameters
  if (parameter !== undefined) {
    throw new TypeError(
      `The route ${route} of an action has the path parameter "${parameter}"; put it into "params", which come in the body.`,
    )
  }
  for (const option of functionOptions) {
    if (definition[option] !== undefined) throw new TypeError(`An action takes no option "${option}".`)
  }
  const runs: unknown = definition.runs ?? ['server']
  if (Bun.deepEquals(runs, ['server'])) return
  throw new TypeError(`The option "runs" of an action must be ['server']; got ${Bun.inspect(runs)}.`)
}

/** Refuses what the configuration would refuse as well. */
function assertDeployment(deployment: DeploymentSettings): void {
  const mistake = structureMistake(deploymentSettingsSchema, deployment)
  if (mistake !== null) throw new TypeError(`The option "deployment" is not taken. ${mistake}`)
  const [contradiction] = settingsContradictions(deployment, 'The option "deployment"')
  if (contradiction !== undefined) throw new TypeError(contradiction)
  const { options = null } = deployment
  if (Bun.deepEquals(options, JSON.parse(JSON.stringify(options) ?? 'null'), true)) return
  throw new TypeError(`The option "deployment.options" must be JSON; got ${Bun.inspect(options)}.`)
}

function overridesOf({ name, route }: Definition): { name?: string; route?: string } {
  for (const [option, value] of Object.entries({ name, route })) {
    if (value !== undefined && typeof value !== 'string') {
      throw new TypeError(`The option "${option}" must be a text; got ${Bun.inspect(value)}.`)
    }
  }
  return withoutAbsent({ name, route }) as { name?: string; route?: string }
}

/** The schemas that the function has, as JSON Schema. */
function schemasOf(definition: Definition, prefix: string): Record<string, JsonSchema | undefined> {
  const { params, query, input, action } = definition
  const output = action ? action.result : definition.output
  const schemas = Object.entries({ params, query, input, output }).map(([option, schema]) => [
    option,
    schema && renderSchema(schema, option, prefix),
  ])
  assertTextSchema('params', params)
  assertTextSchema('query', query)
  if (output) findSlots(output)
  return Object.fromEntries(schemas)
}

function renderSchema(schema: TSchema, option: string, prefix: string): JsonSchema {
  const rendered = toJsonSchema(schema, { option, prefix: `${prefix}.${option}` })
  try {
    createChecker(schema)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new TypeError(`The schema "${option}" cannot be checked by TypeBox: ${message}.`)
  }
  return rendered
}

/** Refuses a schema of values that arrive as text, but are not named or could not come so. */
function assertTextSchema(option: string, schema: TSchema | undefined): void {
  if (!schema) return
  if (schema[Kind] !== 'Object') throw new TypeError(`The schema "${option}" must be a Type.Object().`)
  const [slot] = findSlots(schema)
  if (!slot) return
  throw new TypeError(
    `The schema "${option}" has a file or tensor at ${slot.path.join('.')}, where only text can arrive.`,
  )
}

function assertParameters(
  params: TSchema | undefined,
  { pattern: { route, parameters } }: FunctionRoute,
): void {
  if (!params) return
  const declared = Object.keys(params.properties as object)
  for (const name of parameters) {
    if (declared.includes(name)) continue
    throw new TypeError(`The schema "params" lacks "${name}", a path parameter of the route ${route}.`)
  }
  for (const name of declared) {
    if (parameters.includes(name)) continue
    throw new TypeError(
      `The schema "params" has "${name}", which is no path parameter of the route ${route}.`,
    )
  }
}

/** Refuses options that no compiler has seen, such as those of a JavaScript file. */
function validateManifest(manifest: Record<string, unknown>): FunctionManifest {
  const [error] = Value.Errors(functionManifestSchema, manifest)
  if (!error) return manifest as unknown as FunctionManifest
  const [, member = '', part] = error.path.split('/')
  const { action } = functionManifestSchema.properties
  if (member === 'action' && part !== undefined && Object.hasOwn(action.properties, part)) {
    throw optionRefusal(part, action, manifest.action)
  }
  throw optionRefusal(member, functionManifestSchema, manifest)
}

/** What the manifest calls otherwise than whoever writes a function. */
const optionNames: Readonly<Record<string, string>> = { methods: 'method', weights: 'progress' }

function optionRefusal(member: string, { properties }: TObject, owner: unknown): TypeError {
  const value = (owner as Readonly<Record<string, unknown>>)[member]
  const option = optionNames[member] ?? member
  return new TypeError(
    `The option "${option}" must be ${properties[member]?.expected}; got ${Bun.inspect(value)}.`,
  )
}

function withoutAbsent(members: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}
