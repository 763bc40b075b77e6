import { availableParallelism, totalmem } from 'node:os'
import type { Config } from './config.ts'

const replicas = Math.min(availableParallelism(), 4)
const memoryShareBytes = totalmem() / replicas

/** What holds where neither file, environment nor flag says otherwise: the only place for these values. */
export const defaults: Config = Object.freeze({
  port: 3000,
  host: '127.0.0.1',
  functionsDirectory: 'functions',
  stateDirectory: '.isoplex',
  routePrefix: null,
  entrypoint: null,
  corsOrigins: Object.freeze([]),
  allowedHosts: Object.freeze([]),

  replicas,
  maxModelsPerReplica: 3,
  maxRunnersPerReplica: 32,
  maxOngoingRequests: 64,
  maxQueuedRequests: 2048,
  maxRequestsPerPrincipal: 4096,
  maxModelBytesPerReplica: Math.floor(memoryShareBytes * 0.5),
  maxModelBytesPerPrincipal: null,
  maxParallelLoads: 2,
  maxReplicaBytes: Math.floor(memoryShareBytes * 0.8),
  maxReplicaLoads: 250,
  preloadModels: Object.freeze([]),
  pinnedModels: Object.freeze([]),
  runnerIdleMs: 300_000,
  environment: Object.freeze([]),
  deployments: Object.freeze([]),

  requestTimeoutMs: 30_000,
  uploadTimeoutMs: 30_000,
  loadTimeoutMs: 120_000,
  shutdownGraceMs: 500,
  shutdownTimeoutMs: 30_000,

  maxBodyBytes: 33_554_432,
  maxBodiesInFlightBytes: 268_435_456,
  maxHeaderBytes: 131_072,

  provider: 'auto',
  fallback: null,
  intraOpThreads: 0,

  tokenExpiresInSeconds: 3600,
  audience: null,
  tokenIssuers: Object.freeze([]),

  backend: 'embedded',
  backendUrl: null,
  backendHeaders: 'auto',
  backendTimeoutMs: 15_000,
  artifactHosts: Object.freeze([]),
  maxArtifactBytes: 17_179_869_184,
  maxStoreBytes: 107_374_182_400,
  inputHosts: Object.freeze(['*']),
  publicUrl: null,

  maxConcurrentJobs: 1,
  maxQueuedJobs: 100_000,
  maxJobsPerPrincipal: 20_000,
  jobTimeoutMs: 86_400_000,
  jobCancelGraceMs: 1_000,
  jobRollbackTimeoutMs: 60_000,
  jobLeaseMs: 15_000,
  maxJobAttempts: 5,
  maxJobBytes: 4_294_967_296,
  maxJobRecordBytes: 4_194_304,
  maxJobEvents: 10_000,
  jobRetentionMs: 604_800_000,
  jobStoreUrl: null,
  jobFilesUrl: null,

  nodeAddress: null,
  nodes: Object.freeze([]),
  rayApplication: null,
  runnerAddress: null,
  nodeKeyFile: null,
  nodeCertificateFile: null,
  nodeCertificateKeyFile: null,
  nodeAuthorityFile: null,
  rayAddress: null,
  clusterKeyFile: null,

  metricsAccess: 'admin',
  playground: false,
  logLevel: 'info',
})
