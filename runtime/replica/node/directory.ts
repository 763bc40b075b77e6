import type { NodeAddress } from './security.ts'

/** Knows which nodes there are. */
export interface NodeDirectory extends Disposable {
  /** What messages call it: `--nodes`, a cluster's address. */
  readonly name: string
  /** Tells which nodes are there, now and whenever that changes, by their addresses. */
  follow(changed: (nodes: readonly NodeAddress[]) => void): void
}

/** A directory that never changes. */
export function createStaticDirectory(nodes: readonly NodeAddress[]): NodeDirectory {
  return Object.freeze({
    name: 'nodes',
    follow: (changed: (nodes: readonly NodeAddress[]) => void) => changed(nodes),
    [Symbol.dispose]: () => undefined,
  })
}
