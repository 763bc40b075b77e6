import { type TInteger, type TObject, type TProperties, Type } from '@sinclair/typebox'

// The longest delay that a timer takes; a longer one would fire at once.
const longestDelayMs = 2_147_483_647

function integer(minimum: number, maximum: number): TInteger {
  return Type.Integer({ expected: `an integer from ${minimum} to ${maximum}`, minimum, maximum })
}

function closed<Properties extends TProperties>(
  properties: Properties,
  expected: string,
): TObject<Properties> {
  return Type.Object(properties, { additionalProperties: false, expected })
}

const delay = Type.Optional(integer(1, longestDelayMs))

const autoscale = closed(
  {
    min: integer(0, 256),
    max: integer(1, 256),
    targetOngoing: Type.Optional(
      Type.Number({ expected: 'a number above 0', exclusiveMinimum: 0, maximum: 1_000_000 }),
    ),
    lookBackMs: delay,
    upscaleDelayMs: delay,
    downscaleDelayMs: delay,
  },
  'an object with min and max',
)

const providers = ['auto', 'cpu', 'cuda', 'tensorrt', 'webgpu'] as const
const provider = Type.Union(
  providers.map((value) => Type.Literal(value)),
  { expected: `one of ${providers.join(', ')}` },
)

const resources = closed(
  {
    intraOpThreads: Type.Optional(integer(1, 256)),
    provider: Type.Optional(provider),
    cudaDevices: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9][A-Za-z0-9:/-]*(?:,[A-Za-z0-9][A-Za-z0-9:/-]*)*$',
        maxLength: 1024,
        expected: 'devices with commas, such as 0,1',
      }),
    ),
    maxModelBytes: Type.Optional(integer(1, Number.MAX_SAFE_INTEGER)),
  },
  'an object',
)

const batch = closed(
  {
    maxSize: integer(1, 65_536),
    maxDelayMs: Type.Number({
      expected: `a number from 0 to ${longestDelayMs}`,
      minimum: 0,
      maximum: longestDelayMs,
    }),
    maxBytes: Type.Optional(integer(1, Number.MAX_SAFE_INTEGER)),
  },
  'an object with maxSize and maxDelayMs',
)

const replicas = Type.Union([integer(1, 256), autoscale], {
  expected: 'an integer from 1 to 256, or an object with min and max',
})

/** What may be changed while a server runs. */
const changeable = {
  maxModelsPerReplica: Type.Optional(integer(1, 1024)),
  maxOngoingRequests: Type.Optional(integer(1, 65_536)),
  resources: Type.Optional(resources),
  options: Type.Optional(Type.Unknown()),
  timeoutMs: Type.Optional(integer(1, longestDelayMs)),
  batch: Type.Optional(batch),
}

const settings = {
  ...changeable,
  replicas: Type.Optional(replicas),
  routePrefix: Type.Optional(
    Type.String({
      pattern: '^/(?:[A-Za-z0-9~-][A-Za-z0-9._~-]*(?:/[A-Za-z0-9~-][A-Za-z0-9._~-]*)*)?$',
      maxLength: 512,
      expected: 'a path of plain segments such as /v1/digits',
    }),
  ),
}

const name = Type.String({
  pattern: '^[\\w~[\\]-][\\w.~[\\]-]*(/[\\w~[\\]-][\\w.~[\\]-]*)*$',
  maxLength: 256,
  expected: 'made of letters, digits and - . _ ~ [ ], in parts with slashes between',
})

/** The schema of a {@link DeploymentChange}. */
export const deploymentChangeSchema = closed(
  {
    ...changeable,
    replicas: Type.Optional(
      Type.Union([...replicas.anyOf, Type.Null()], { expected: `${replicas.expected}, or null` }),
    ),
  },
  'an object',
)

/** The schema of what a function says of its own deployment. */
export const deploymentSettingsSchema = closed(settings, 'an object')

/** The schema of a deployment as the configuration names it. */
export const deploymentSchema = closed({ name, function: name, ...settings }, 'an object')
