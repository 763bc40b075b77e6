import { modelNotFound } from '../../model/model-id.ts'
import { parseModelName } from '../../model/model-name.ts'
import type { ResidencyReport } from '../../replica/residency-report.ts'
import type { RunnerState } from '../../replica/runner-link.ts'
import { readJson } from '../json-body.ts'
import { jsonReply } from '../reply.ts'
import type { SystemHandler } from '../system-route.ts'
import type { AdministrationRoutesOptions } from './options.ts'
import { progressReply, type ReportingWork } from './progress-reply.ts'
import { aliasSchema, localModelSchema, uploadedModelSchema } from './schemas.ts'

/** What is done to models over HTTP. */
export interface ModelHandlers {
  readonly list: SystemHandler
  readonly add: SystemHandler
  readonly show: SystemHandler
  readonly remove: SystemHandler
  readonly setAlias: SystemHandler
  readonly removeAlias: SystemHandler
}

/** Makes the handlers of models and their aliases. */
export function createModelHandlers(options: AdministrationRoutesOptions): ModelHandlers {
  const { administration, store, placement, identify, body } = options
  return {
    async list({ request }) {
      await identify(request)
      const [models, transfers] = await Promise.all([administration.listModels({}), store.listTransfers({})])
      return jsonReply({ models, transfers, loaded: listLoaded(placement.report()) })
    },
    async add({ request }) {
      const work = await readAddition(request, options)
      return await progressReply(request, work, (error) =>
        options.log.error('A model was not added', { error }),
      )
    },
    async show({ request, parameters: [name = ''] }) {
      await identify(request)
      const { id, version } = readName(name)
      const model = await administration.showModel({ id })
      if (version === null) return jsonReply(model)
      const versions = model.versions.filter((one) => one.version === version)
      if (versions.length === 0) throw modelNotFound(name)
      return jsonReply({ ...model, versions })
    },
    async remove({ request, parameters: [name = ''] }) {
      const { actor } = await identify(request)
      await administration.removeModel({ actor, ...readName(name) })
      return nothing()
    },
    async setAlias({ request, parameters: [id = '', alias = ''] }) {
      const { actor } = await identify(request)
      const { targets } = await readJson(request, aliasSchema, body)
      return jsonReply(await administration.setAlias({ actor, id, alias, targets }))
    },
    async removeAlias({ request, parameters: [id = '', alias = ''] }) {
      const { actor } = await identify(request)
      await administration.removeAlias({ actor, id, alias })
      return nothing()
    },
  }
}

/** Whoever is at the machine may name a path of it. From elsewhere that would read any file: there, bytes are sent. */
async function readAddition(
  request: Request,
  { administration, registerUpload, identify, body }: AdministrationRoutesOptions,
): Promise<ReportingWork> {
  const { actor, accessId } = await identify(request)
  if (accessId === null) {
    const model = await readJson(request, localModelSchema, body)
    return (onProgress) => administration.addModel({ actor, ...model, onProgress })
  }
  const { upload, fields = {}, ...model } = await readJson(request, uploadedModelSchema, body)
  return () => registerUpload({ actor, ...model, fields, upload: { accessId, id: upload }, publisher: null })
}

/** @throws {IsoplexError} `MODEL_NOT_FOUND` for what names no model, or an alias. */
function readName(text: string): { readonly id: string; readonly version: number | null } {
  const name = parseModelName(text)
  if (name === null || name.selector.kind === 'alias') throw modelNotFound(text)
  const { id, selector } = name
  return { id, version: selector.kind === 'version' ? selector.version : null }
}

/** Where a version of a model is loaded. */
interface LoadedVersion {
  readonly id: string
  readonly version: string | null
  readonly function: string
  readonly replica: number
  readonly state: RunnerState
  readonly pinned: boolean
}

function listLoaded({ replicas }: ResidencyReport): readonly LoadedVersion[] {
  return replicas.flatMap(({ replica, runners }) =>
    runners.flatMap(({ modelId: id, version, function: name, state, pinned }) =>
      id === null ? [] : [{ id, version, function: name, replica, state, pinned }],
    ),
  )
}

function nothing(): Response {
  return new Response(null, { status: 204, headers: { 'cache-control': 'no-store' } })
}
