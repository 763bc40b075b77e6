import type { ResolvedModel } from '../../../runtime/model/resolve.ts'
import type { Deployment } from '../../../runtime/replica/deployment.ts'
import type { ResidencyControl } from '../../../runtime/replica/residency-control.ts'
import type { ResidentReport } from '../../../runtime/replica/residency-report.ts'
import type { LoadOptions } from '../../../runtime/replica/wishes.ts'
import { replicaOf, residentOf } from '../metrics/metrics-sources.ts'

interface Resident {
  readonly deployment: Deployment
  readonly model: ResolvedModel
  readonly options: LoadOptions
}

/** A residency that loads in no time and holds whatever it is told to. */
export interface MemoryResidency extends ResidencyControl {
  /** Every load, in order. */
  readonly loads: readonly Resident[]
  /** Loads of a model of this id fail with the error. */
  readonly failures: Map<string, Error>
}

/** Makes a residency in which nothing is loaded. */
export function createMemoryResidency(): MemoryResidency {
  const residents = new Map<string, Resident>()
  const pins = new Set<string>()
  const loads: Resident[] = []
  const failures = new Map<string, Error>()
  const pinOf = (name: string, key: string): string => `${name} ${key}`
  return {
    loads,
    failures,
    async load(deployment, model, options) {
      const failure = failures.get(model.info.id)
      if (failure) throw failure
      const resident = { deployment, model, options }
      loads.push(resident)
      residents.set(`${deployment.id} ${model.key}`, resident)
      if (options.pin) pins.add(pinOf(deployment.name, model.key))
    },
    async unload(name, key) {
      const leaving = [...residents].filter(
        ([, { deployment, model }]) => model.key === key && (name ?? deployment.name) === deployment.name,
      )
      for (const [id, { deployment }] of leaving) {
        residents.delete(id)
        pins.delete(pinOf(deployment.name, key))
      }
      return leaving.length
    },
    setPinned(name, key, pinned) {
      if (pinned) pins.add(pinOf(name, key))
      else pins.delete(pinOf(name, key))
    },
    report() {
      const runners = [...residents.values()].map(({ deployment, model, options }, index): ResidentReport => {
        return residentOf(index, model.info.id, {
          function: deployment.functionName,
          deployment: deployment.name,
          modelKey: model.key,
          version: model.info.version,
          pinned: pins.has(pinOf(deployment.name, model.key)),
          principal: options.principal,
        })
      })
      return { replicas: [replicaOf(0, ...runners)], departures: [] }
    },
    backlog: () => [],
  }
}
