import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { freezeData } from '../build/frozen-data.ts'
import type { Manifest } from '../build/manifest.ts'
import type { Logger } from '../observe/log.ts'
import { type ContentLease, ContentShelf } from '../replica/node/content-shelf.ts'
import type { NodeFleet } from '../replica/node/fleet.ts'
import type { NodeFacts } from '../replica/node/message.ts'
import type { NodeWatch } from '../replica/node/node-watch.ts'
import type { FunctionSource } from './function-source.ts'

/** What functions that nodes serve are read with. */
export interface NodeSourceOptions {
  readonly fleet: NodeFleet
  readonly stateDirectory: string
  readonly maxStoreBytes: number
  /** How long the first read waits for a node. */
  readonly patienceMs: number
  readonly log: Logger
}

/** Manifests whose bundles are kept: what the one before has begun may still have to be started elsewhere. */
const keptManifests = 3
const nothing: Manifest = Object.freeze({ functions: [], broken: [] })

/**
 * Opens the functions that nodes serve, so that a gateway needs none of its own. A version stays live as long as a node
 * serves it; then the one that most nodes serve takes its place, of several the first that the directory names. Nodes
 * without functions, which only lend their cores, have no say.
 */
export async function openNodeSource(options: NodeSourceOptions): Promise<FunctionSource> {
  const { fleet, stateDirectory, maxStoreBytes, patienceMs, log } = options
  const shelf = await ContentShelf.open(join(stateDirectory, 'content'), maxStoreBytes)
  const leases: ContentLease[] = []
  let live = { version: '', manifest: nothing }
  let directory = stateDirectory
  let patient = true

  async function adopt(watch: NodeWatch, facts: NodeFacts, version: string): Promise<void> {
    if (!watch.peer) return
    const lease = await shelf.obtain(facts.bundles, watch.peer)
    leases.unshift(lease)
    for (const old of leases.splice(keptManifests)) old[Symbol.dispose]()
    directory = lease.path
    live = { version, manifest: freezeData({ functions: facts.manifest.functions, broken: [] }) }
  }

  async function read(): Promise<Manifest> {
    if (patient) await untilServed(fleet, patienceMs)
    patient = false
    const chosen = choose(fleet.up, live.version)
    if (chosen && chosen.version !== live.version) {
      try {
        await adopt(chosen.watch, chosen.facts, chosen.version)
      } catch (error) {
        // The node may be lost meanwhile, which is a change, and tried again with another.
        log.warn('The functions of a node could not be fetched', { node: chosen.watch.name, error })
      }
    }
    return live.manifest
  }

  return {
    get bundlesDirectory() {
      return directory
    },
    sources: new Map(),
    read,
    onChange: (listener) => {
      fleet.onChange(() => {
        const chosen = choose(fleet.up, live.version)
        if (chosen && chosen.version !== live.version) listener()
      })
    },
    [Symbol.asyncDispose]: () => shelf.close(),
  }
}

interface Choice {
  readonly watch: NodeWatch
  readonly facts: NodeFacts
  readonly version: string
}

/** Which version is to be live, and who has it; `null` where nobody serves anything. */
function choose(nodes: readonly NodeWatch[], live: string): Choice | null {
  const choices = nodes.flatMap((watch): Choice[] => {
    const { facts } = watch
    if (!facts || facts.manifest.functions.length === 0) return []
    return [{ watch, facts, version: versionOf(facts) }]
  })
  const same = choices.find(({ version }) => version === live)
  if (same) return same
  const countOf = (choice: Choice): number =>
    choices.filter(({ version }) => version === choice.version).length
  return choices.reduce<Choice | null>((best, next) => {
    return best && countOf(best) >= countOf(next) ? best : next
  }, null)
}

const versions = new WeakMap<NodeFacts, string>()

/** Names what a node serves; equal names are equal functions. */
function versionOf(facts: NodeFacts): string {
  const known = versions.get(facts)
  if (known !== undefined) return known
  const version = createHash('sha256')
    .update(JSON.stringify([facts.bundles, facts.manifest]))
    .digest('hex')
  versions.set(facts, version)
  return version
}

async function untilServed(fleet: NodeFleet, patienceMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const look = (): void => {
    if (choose(fleet.up, '')) resolve()
  }
  using _following = fleet.onChange(look)
  look()
  const patience = setTimeout(resolve, patienceMs)
  await promise
  clearTimeout(patience)
}
