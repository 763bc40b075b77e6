import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Deployment } from '../../runtime/replica/deployment.ts'
import type { ReplicaWorkshop } from './replica-workshop.ts'

/** A function that writes down what happens to it, and loads each model as the model's id says. */
export interface WitnessedLoader {
  /** Where it is written down, a line for each event. */
  readonly file: string
  deploy(facts?: Partial<Deployment>): Promise<Deployment>
  /** How often something has happened: `setup`, `teardown`, `load ID`, `unload ID`. */
  witnessed(what: string): number
}

/** The part of an id before the first hyphen says what its load does; any other loads at once. */
const source = (file: string): string => `
const tell = (what) => appendFileSync(${JSON.stringify(file)}, what + '\\n')
const actions = {
  kills: () => process.kill(process.pid, 'SIGKILL'),
  exits: () => process.exit(0),
  spins: () => { for (;;); },
  waits: () => new Promise(() => {}),
  throws: () => { throw new Error('no such model') },
  slow: () => Bun.sleep(300),
}
export default defineInference({
  input: Type.Any(),
  setup: () => tell('setup'),
  teardown: () => tell('teardown'),
  model: multiplexed(async ({ id }) => {
    tell('load ' + id)
    await actions[id.replace(/-.*/, '')]?.()
    return id
  }, { unload: (id) => tell('unload ' + id) }),
  infer: async ({ ms = 0, stream }, { model, signal }) => {
    if (stream) return (async function* () { while (!signal.aborted) { yield { model }; await Bun.sleep(5) } })()
    await Bun.sleep(ms)
    return { model, pid: process.pid }
  },
})
`

/** Makes such a function in a workshop. */
export function makeWitnessedLoader(workshop: ReplicaWorkshop): WitnessedLoader {
  const file = join(workshop.directory, 'witness')
  writeFileSync(file, '')
  return {
    file,
    deploy: (facts = {}) => workshop.deploy('keeper', source(file), { maxInReplica: 3, ahead: 1, ...facts }),
    witnessed: (what) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line === what).length,
  }
}
