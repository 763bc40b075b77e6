import type { JsonRecord } from './step.ts'

/** What the process of a deployment action is told of its plugin. Plain JSON. */
export interface DeploymentFacts {
  /** What it is deployed as; `null` where neither the environment nor `config.yaml` names it. */
  readonly serveAppName: string | null
  /** Path that its routes begin with once it is deployed; `null` as above. */
  readonly routePrefix: string | null
  /** Whether that path is of this version alone, so that other versions can be deployed beside it. */
  readonly routeIsOfVersion: boolean
  /** The runtime environment in Ray's words. */
  readonly runtimeEnv: JsonRecord
  /** Where the cluster is; `null` where nothing says so. */
  readonly rayAddress: string | null
  /** Variables by which replicas find the backend; none of them a secret. */
  readonly environment: Readonly<Record<string, string>>
}

/** A build that every node of a cluster can run. */
export interface DeployableBuild {
  /** The folder, or the URI of an archive, that every node finds it under. */
  readonly bundle: string
  /** Equal versions are equal bytes. */
  readonly version: string
}

/** A deployed application, as it is registered at a backend. Plain JSON. */
export interface ServeApplication {
  /** Its name on the cluster, without its version. */
  readonly name: string
  /** Where it stands, in the cluster's own words. */
  readonly status: string
  /** The parameters of the job that has deployed it. */
  readonly params: JsonRecord
  /** How many replicas it has; the least where the cluster follows the load. */
  readonly replicas: number
  /** The number of the plugin's release at the backend; `null` where it is not known. */
  readonly pluginRelease: number | null
  /** What the cluster tells of it. */
  readonly data: JsonRecord
}

/** What the id of a registered application is: a number or a text, as the backend has it. */
export type ServeApplicationId = string | number
