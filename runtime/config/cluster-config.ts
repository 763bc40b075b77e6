/** What the configuration settles of other machines: nodes that hold replicas, and a Ray cluster. */
export interface ClusterConfig {
  /**
   * Where `serve` and `node` take replicas for gateways of other machines; port 0 takes a free one. A host and a port
   * such as 10.0.0.7:7420. @default null
   */
  readonly nodeAddress: string | null
  /** Nodes that `gateway` has its replicas on. Hosts and ports such as 10.0.0.7:7420. @default [] */
  readonly nodes: readonly string[]
  /**
   * The application there, by its name without the version; unset where there is only one. A text of up to 256
   * characters. @default null
   */
  readonly rayApplication: string | null
  /**
   * Where runners on nodes reach `gateway`; unset, the address by which it reaches their node, and any port. A host
   * and a port such as 10.0.0.1:7421. @default null
   */
  readonly runnerAddress: string | null
  /** File with the key that gateways and nodes share, at least 32 bytes. A path. @default null */
  readonly nodeKeyFile: string | null
  /**
   * Certificate, as PEM and for the name `isoplex`, by which gateways and nodes know each other. A path. @default null
   */
  readonly nodeCertificateFile: string | null
  /** The private key of that certificate, as PEM. A path. @default null */
  readonly nodeCertificateKeyFile: string | null
  /** Certificate, as PEM, of whoever signs those of gateways and nodes, and nothing else. A path. @default null */
  readonly nodeAuthorityFile: string | null
  /**
   * The Ray cluster that is deployed to; unset, the one of this machine. A dashboard's URL such as http://127.0.0.1:8265,
   * or a machine such as ray://host:10001. @default null
   */
  readonly rayAddress: string | null
  /**
   * File with the key that seals what jobs take along to a cluster; the same on each of its machines, seen from the
   * project. A path. @default null
   */
  readonly clusterKeyFile: string | null
}
