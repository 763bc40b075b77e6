import { readJson } from '../json-body.ts'
import { jsonReply } from '../reply.ts'
import type { SystemHandler } from '../system-route.ts'
import type { AdministrationRoutesOptions } from './options.ts'
import { progressReply, type ReportingWork } from './progress-reply.ts'
import { pruneSchema, pullSchema, verifySchema } from './schemas.ts'

/** What is done over HTTP to the store of this host. */
export interface StoreHandlers {
  readonly verify: SystemHandler
  readonly prune: SystemHandler
  readonly pull: SystemHandler
}

/** Makes the handlers of the store. */
export function createStoreHandlers(options: AdministrationRoutesOptions): StoreHandlers {
  const { store, identify, body, log } = options
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
    async pull({ request }) {
      await identify(request)
      const { id, tenant = null } = await readJson(request, pullSchema, body)
      const work: ReportingWork = async (onProgress) => ({
        pulled: await store.pullModel({ id, tenant, onProgress }),
      })
      return await progressReply(request, work, (error) => log.error('A model was not pulled', { error }))
    },
  }
}
