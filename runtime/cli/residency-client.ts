import { createAsk } from '../control/ask.ts'
import type { PlacementQuestion } from '../server/residency/function-choice.ts'
import type { PlacedModel, PlacementReport } from '../server/residency/model-placement.ts'
import { findServer } from './running-server.ts'

/** What is done to the models that a running server has loaded. */
export interface ResidencyClient {
  /** What is loaded where, what has left lately, and what waits. */
  report(): Promise<PlacementReport>
  /** Loads a model, and pins it where that is asked for; answers once it is loaded. */
  load(question: PlacementQuestion, options: { readonly pin: boolean }): Promise<readonly PlacedModel[]>
  /** Unloads a model; gives how many runners have gone. */
  unload(question: PlacementQuestion): Promise<number>
  /** Takes the pins from a model; gives how many there were. */
  unpin(question: PlacementQuestion): Promise<number>
}

/**
 * The models of the server that runs on the state directory of the current project.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where none does.
 */
export async function findResidency(flags: Readonly<Record<string, unknown>>): Promise<ResidencyClient> {
  return createResidencyClient(await findServer(flags))
}

/** Asks a server through its control socket. */
function createResidencyClient(socketPath: string): ResidencyClient {
  const ask = createAsk({ socketPath })
  // The server is of the same sources; what it answers is what it was asked for.
  const read = async <Value>(path: string): Promise<Value> => (await (await ask(path)).json()) as Value
  const change = async <Value>(
    name: string,
    { model, functionName, tenant }: PlacementQuestion,
    options: object = {},
  ): Promise<Value> => {
    const json = { model, function: functionName, tenant, ...options }
    return (await (await ask(`/-/replicas/${name}`, { method: 'POST', json })).json()) as Value
  }
  return Object.freeze<ResidencyClient>({
    report: () => read('/-/replicas'),
    load: async (question, options) => {
      const { loaded } = await change<{ readonly loaded: readonly PlacedModel[] }>('load', question, options)
      return loaded
    },
    unload: async (question) => (await change<{ readonly unloaded: number }>('unload', question)).unloaded,
    unpin: async (question) => (await change<{ readonly unpinned: number }>('unpin', question)).unpinned,
  })
}
