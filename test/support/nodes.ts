import { randomBytes } from 'node:crypto'
import { descendantsOf, startServer, type TestProject, type TestServer } from './server.ts'

/** A node of the real command in a process of its own. */
export interface TestNode extends AsyncDisposable {
  /** `host:port`. */
  readonly address: string
  readonly server: TestServer
  /** The process ids of its replicas, the one at hand among them. */
  replicas(): Promise<number[]>
}

let nodes = 0

/** Starts `isoplex node` with a state folder of its own. */
export async function startNode(
  project: Pick<TestProject, 'directory'>,
  flags: readonly string[] = [],
): Promise<TestNode> {
  nodes += 1
  const state = ['--state-directory', `.isoplex-node-${nodes}`]
  const server = await startServer(project, 'node', ['--replicas', '1', ...state, ...flags])
  return {
    address: String(server.events.find(({ event }) => event === 'listening')?.node),
    server,
    replicas: () => descendantsOf(server.pid),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** Starts `isoplex gateway` over nodes. */
export function startNodeGateway(
  project: Pick<TestProject, 'directory'>,
  addresses: readonly string[],
  flags: readonly string[] = [],
): Promise<TestServer> {
  return startServer(project, 'gateway', ['--nodes', addresses.join(','), ...flags])
}

/** A key that gateways and nodes may share. */
export function newNodeKey(): string {
  return randomBytes(48).toString('base64')
}

/** What readiness tells of each node. */
export async function nodeStates(server: TestServer): Promise<string[]> {
  const { json } = await server.call('/readyz')
  return json.nodes.map(({ state }: { state: string }) => state).toSorted()
}
