import { readJson } from '../json-body.ts'
import { jsonReply } from '../reply.ts'
import type { SystemHandler } from '../system-route.ts'
import type { AdministrationRoutesOptions } from './options.ts'
import { pruneSchema, verifySchema } from './schemas.ts'

/** What is done over HTTP to the store of this host. */
export interface StoreHandlers {
  readonly verify: SystemHandler
  readonly prune: SystemHandler
}

/** Makes the handlers of the store. */
export function createStoreHandlers({ store, identify, body }: AdministrationRoutesOptions): StoreHandlers {
  return {
    async verify({ request }) {
      await identify(request)
      const { remove = false } = await readJson(request, verifySchema, body)
      return jsonReply({ broken: await store.verifyStore({ remove }) })
    },
    async prune({ request }) {
      await identify(request)
      return jsonReply(await store.pruneStore(await readJson(request, pruneSchema, body)))
    },
  }
}
