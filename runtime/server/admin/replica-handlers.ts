import type { Static } from '@sinclair/typebox'
import { readJson } from '../json-body.ts'
import { jsonReply } from '../reply.ts'
import type { PlacementQuestion } from '../residency/function-choice.ts'
import type { SystemHandler } from '../system-route.ts'
import type { AdministrationRoutesOptions } from './options.ts'
import { loadSchema, placementSchema } from './schemas.ts'

/** What is done over HTTP to what is loaded, and what is told of it. */
export interface ReplicaHandlers {
  readonly report: SystemHandler
  readonly load: SystemHandler
  readonly unload: SystemHandler
  readonly pin: SystemHandler
  readonly unpin: SystemHandler
}

/** Makes the handlers of replicas and of what is loaded in them. */
export function createReplicaHandlers({
  placement,
  administration,
  identify,
  body,
}: AdministrationRoutesOptions): ReplicaHandlers {
  return {
    async report({ request }) {
      await identify(request)
      return jsonReply(placement.report())
    },
    async load({ request }) {
      const { actor } = await identify(request)
      const { pin = false, ...given } = await readJson(request, loadSchema, body)
      const loaded = await placement.load(questionOf(given), { pin })
      await administration.noteResidency({ actor, action: pin ? 'model.pin' : 'model.load', ...given })
      return jsonReply({ loaded }, 201)
    },
    async unload({ request }) {
      const { actor } = await identify(request)
      const given = await readJson(request, placementSchema, body)
      const unloaded = await placement.unload(questionOf(given))
      if (unloaded > 0) await administration.noteResidency({ actor, action: 'model.unload', ...given })
      return jsonReply({ unloaded })
    },
    async pin({ request }) {
      const { actor } = await identify(request)
      const given = await readJson(request, placementSchema, body)
      const loaded = await placement.load(questionOf(given), { pin: true })
      await administration.noteResidency({ actor, action: 'model.pin', ...given })
      return jsonReply({ loaded }, 201)
    },
    async unpin({ request }) {
      const { actor } = await identify(request)
      const given = await readJson(request, placementSchema, body)
      const unpinned = await placement.unpin(questionOf(given))
      if (unpinned > 0) await administration.noteResidency({ actor, action: 'model.unpin', ...given })
      return jsonReply({ unpinned })
    },
  }
}

function questionOf({
  model,
  function: functionName = null,
  tenant = null,
}: Static<typeof placementSchema>): PlacementQuestion {
  return { model, functionName, tenant }
}
