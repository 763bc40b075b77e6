import { Type } from '@sinclair/typebox'
import type { BackendHeaders, Config, LogLevel, ServerProvider } from './config.ts'
import { deploymentSchema } from './deployment-schema.ts'
import { issuerSchema } from './issuer-schema.ts'
import { choice, integer, list, orNull, text } from './key-schema.ts'
import { nodeProperties } from './node-schema.ts'

// The longest delay that a timer takes; a longer one would fire at once.
const longestDelayMs = 2_147_483_647
const hostName = '(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\\[[0-9a-f:.]+\\])'
// A browser leaves a scheme's own port out of an origin, so an origin that names it would never match.
const origin = `http://${hostName}(?::(?!80$)[0-9]{1,5})?|https://${hostName}(?::(?!443$)[0-9]{1,5})?`
const outboundHost = `\\*|(?:\\*\\.)?${hostName}|${origin}`
const modelPlace = '^(?:[^=,\\u0000-\\u001f]{1,256}=)?[^=,\\u0000-\\u001f]{1,512}$'
const path = '^[^\\u0000-\\u001f]+$'
const providers: readonly ServerProvider[] = ['cpu', 'cuda', 'tensorrt', 'webgpu']
const logLevels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

/** The schema of each key, with its bounds; `description` and `expected` explain it. */
export const configSchema = Type.Object(
  {
    port: integer('Port to listen on; 0 takes a free one.', 0, 65_535),
    host: text('^[A-Za-z0-9.:%_-]{1,253}$', {
      description: 'Address to listen on.',
      expected: 'a host name or an IP address',
    }),
    functionsDirectory: text(path, {
      description: 'Folder of the function files, seen from the project.',
      expected: 'a path',
    }),
    stateDirectory: text(path, {
      description: 'Folder for bundles, models and the key, seen from the project.',
      expected: 'a path',
    }),
    routePrefix: orNull(
      text('^/(?:[A-Za-z0-9._~-]+(?:/[A-Za-z0-9._~-]+)*)?$', {
        description:
          "Path that all routes begin with; `/` is none, unset leaves it to the plugin's identity.",
        expected: 'a path of plain segments such as /digits/v1',
      }),
    ),
    entrypoint: orNull(
      text('^[^\\u0000-\\u001f]{1,512}$', {
        description:
          'Function that answers the route prefix itself; unset, the index, else the only inference function.',
        expected: "a function's name such as ocr/detect",
      }),
    ),
    corsOrigins: list(`^(?:\\*|${origin})$`, {
      description: 'Web origins whose pages may call.',
      expected: 'origins such as https://example.com as a browser sends them, or *',
    }),
    allowedHosts: list(`^${hostName}$`, {
      description: 'Host names that a request may be addressed to besides the loopback ones, any port.',
      expected: 'lower-case host names without a port',
    }),

    replicas: integer('Replica processes of the default group; 0 answers system paths only.', 0, 256),
    maxModelsPerReplica: integer('Models of one function that one replica holds at a time.', 1, 1024),
    maxRunnersPerReplica: integer('Runner threads that one replica holds at a time.', 1, 1024),
    maxOngoingRequests: integer('Requests at a time in one runner of a function without a model.', 1, 65_536),
    maxQueuedRequests: integer('Requests that may wait in one queue.', 1, 1_000_000),
    maxRequestsPerPrincipal: integer(
      'Requests of one principal at a time, waiting and running, in all queues together.',
      1,
      1_000_000,
    ),
    maxModelBytesPerReplica: integer(
      'Bytes of models that one replica holds at a time.',
      1,
      Number.MAX_SAFE_INTEGER,
    ),
    maxModelBytesPerPrincipal: orNull(
      integer(
        'Bytes of models loaded for one principal, in all replicas together.',
        1,
        Number.MAX_SAFE_INTEGER,
      ),
    ),
    maxParallelLoads: integer('Models that one replica loads at a time.', 1, 64),
    maxReplicaBytes: integer(
      'Memory of a replica beyond which a fresh one takes its place.',
      1,
      Number.MAX_SAFE_INTEGER,
    ),
    maxReplicaLoads: integer('Loads after which a fresh replica takes its place.', 1, 1_000_000),
    preloadModels: list(modelPlace, {
      description: 'Models to load at the start.',
      expected: 'models such as digits@3, or function=model where several functions might use one',
    }),
    pinnedModels: list(modelPlace, {
      description: 'Models to load at the start and never to unload.',
      expected: 'models such as digits@3, or function=model where several functions might use one',
    }),
    runnerIdleMs: integer('Idle time after which a runner is ended.', 1, longestDelayMs),
    environment: list('^[A-Za-z_][A-Za-z0-9_]*$', {
      description: 'Environment variables that replicas may see besides the built-in list.',
      expected: 'names of environment variables',
    }),
    deployments: Type.Array(deploymentSchema, {
      description:
        "Deployments besides each function's own, or in place of it: name, function, replicas, options and more.",
      expected: 'a list of objects with name and function, as JSON in variables and flags',
      maxItems: 256,
    }),

    requestTimeoutMs: integer('Time in which a request must be answered.', 1, longestDelayMs),
    uploadTimeoutMs: integer("Time in which a request's body must arrive.", 1, longestDelayMs),
    loadTimeoutMs: integer('Time in which a model must load.', 1, longestDelayMs),
    shutdownGraceMs: integer(
      'Time at a stop in which requests are still taken, with `Connection: close`.',
      0,
      longestDelayMs,
    ),
    shutdownTimeoutMs: integer('Time in which a stop must end, grace included.', 1, longestDelayMs),

    maxBodyBytes: integer('Largest request body.', 1, 2_147_483_647),
    maxBodiesInFlightBytes: integer(
      'Most bytes of all bodies in flight together.',
      1,
      Number.MAX_SAFE_INTEGER,
    ),
    maxHeaderBytes: integer("Most bytes of a request's headers together.", 16_384, 1_048_576),

    provider: choice<ServerProvider | 'auto'>('Execution provider of models that name none.', [
      'auto',
      ...providers,
    ]),
    fallback: orNull(choice('Provider to take where the wished one is not to be had.', providers)),
    intraOpThreads: integer('Threads of one operator; 0 shares the cores among the replicas.', 0, 256),

    tokenExpiresInSeconds: integer('Life of the tokens that this project makes.', 1, 31_536_000),
    audience: orNull(
      text('^[^\\u0000-\\u001f]{1,256}$', {
        description: 'The `aud` that a token must name; while unset, a token must name none.',
        expected: 'a text of up to 256 characters',
      }),
    ),
    tokenIssuers: Type.Array(issuerSchema, {
      description: "Issuers of tokens trusted besides the project's own key.",
      expected: 'a list of objects, as JSON in variables and flags',
      maxItems: 64,
    }),

    backend: choice<Config['backend']>('Where models come from.', ['embedded', 'synapse']),
    backendUrl: orNull(
      text('^https?://[^\\s\\u0000-\\u001f]{1,2000}$', {
        description:
          'URL of the Synapse backend; with the embedded one, the URL by which clients sign Synapse tokens for it.',
        expected: 'an http or https URL',
      }),
    ),
    backendHeaders: choice<BackendHeaders>('Headers that carry an access token to the Synapse backend.', [
      'auto',
      'authorization',
      'access-token',
    ]),
    backendTimeoutMs: integer('Time in which the Synapse backend must answer.', 1, longestDelayMs),
    artifactHosts: list(`^(?:${outboundHost}|s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])$`, {
      description: "Where model artifacts may come from besides the backend's own host.",
      expected: 'host names for https, *.names, *, origins such as http://10.0.0.7:9000, or s3://buckets',
    }),
    maxArtifactBytes: integer('Largest model artifact.', 1, Number.MAX_SAFE_INTEGER),
    maxStoreBytes: integer(
      'Bytes of downloaded and unpacked artifacts beyond which those unused longest are pruned.',
      1,
      Number.MAX_SAFE_INTEGER,
    ),
    inputHosts: list(`^(?:${outboundHost})$`, {
      description: 'Where functions may fetch inputs from.',
      expected: 'host names for https, *.names, *, or origins such as http://10.0.0.7:9000',
    }),
    publicUrl: orNull(
      text(`^(?:${origin})$`, {
        description:
          'Origin by which clients reach this server, for links to artifacts; while unset, the one that they asked.',
        expected: 'an origin such as https://models.example.com',
      }),
    ),

    maxConcurrentJobs: integer(
      'Jobs that run at a time, each in a process of its own; 0 runs none here.',
      0,
      256,
    ),
    maxQueuedJobs: integer('Jobs that may wait.', 1, 10_000_000),
    maxJobsPerPrincipal: integer('Jobs of one principal that may wait or run.', 1, 10_000_000),
    jobTimeoutMs: integer('Time in which a job must end, where its action names none.', 1, longestDelayMs),
    jobCancelGraceMs: integer(
      'Time that a cancelled job has to notice before it is ended.',
      0,
      longestDelayMs,
    ),
    jobRollbackTimeoutMs: integer('Time in which the rollback of a job must end.', 1, longestDelayMs),
    jobLeaseMs: integer(
      'Time after which a job whose server has gone is taken up by another.',
      1_000,
      3_600_000,
    ),
    maxJobAttempts: integer(
      'Deaths of a job without a step or checkpoint in between, until it fails.',
      1,
      1_000,
    ),
    maxJobBytes: integer('Bytes of files and result that one job may leave.', 1, Number.MAX_SAFE_INTEGER),
    maxJobRecordBytes: integer('Bytes of what one step or checkpoint of a job records.', 1, 1_073_741_824),
    maxJobEvents: integer('Events that are kept of one job.', 100, 10_000_000),
    jobRetentionMs: integer('Time after which an ended job is forgotten.', 1, Number.MAX_SAFE_INTEGER),
    jobStoreUrl: orNull(
      text('^postgres(?:ql)?://[^\\s\\u0000-\\u001f]{1,2000}$', {
        description:
          'Database of the jobs, which several servers may share; while unset, a file in the state folder.',
        expected: 'a URL such as postgres://user:password@host/database',
        secret: true,
      }),
    ),
    jobFilesUrl: orNull(
      text('^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/[^\\u0000-\\u001f]{1,512})?$', {
        description:
          'Where inputs, results and files of jobs are kept; while unset, beside the database of the jobs.',
        expected: 'a place such as s3://bucket/prefix',
      }),
    ),

    ...nodeProperties,
    rayAddress: orNull(
      text('^[A-Za-z0-9:/.\\[\\]_~%-]{1,2000}$', {
        description: 'The Ray cluster that is deployed to; unset, the one of this machine.',
        expected: "a dashboard's URL such as http://127.0.0.1:8265, or a machine such as ray://host:10001",
      }),
    ),
    clusterKeyFile: orNull(
      text(path, {
        description:
          'File with the key that seals what jobs take along to a cluster; the same on each of its machines, seen from the project.',
        expected: 'a path',
      }),
    ),

    metricsAccess: choice<Config['metricsAccess']>('Who may read `/metrics`.', ['admin', 'public']),
    playground: Type.Boolean({
      description: 'Whether `serve` has the page `/-/playground` too, as `dev` always does.',
      expected: 'true or false',
    }),
    logLevel: choice('Lowest level that is logged.', logLevels),
  },
  { additionalProperties: false },
)

/** The name of a configuration key. */
export type ConfigKey = keyof typeof configSchema.properties

/** Every key, in the order of the documentation. */
export const configKeys: readonly ConfigKey[] = Object.freeze(
  Object.keys(configSchema.properties) as ConfigKey[],
)
