import type { SQL } from 'bun'
import { isModelId, modelNotFound } from './model-id.ts'
import { type ModelRow, type RegisteredModel, toRegisteredModels } from './registered-model.ts'

/** All models with their versions and aliases, in the order of their ids. */
export async function listModels(sql: SQL): Promise<readonly RegisteredModel[]> {
  return toRegisteredModels(await selectRows(sql, null))
}

/**
 * One model with its versions and aliases.
 *
 * @throws {IsoplexError} `MODEL_NOT_FOUND`
 */
export async function showModel(sql: SQL, id: string): Promise<RegisteredModel> {
  const [model] = isModelId(id) ? toRegisteredModels(await selectRows(sql, id)) : []
  if (model === undefined) throw modelNotFound(id)
  return model
}

/** One statement, so that versions and aliases are of the same moment. */
async function selectRows(sql: SQL, id: string | null): Promise<readonly ModelRow[]> {
  return sql<ModelRow[]>`
    SELECT versions.*, models.tenant, models.folder_fingerprint, (
      SELECT json_group_array(json_array(alias, version, weight))
      FROM aliases WHERE aliases.model_id = models.id
    ) AS aliases
    FROM models JOIN versions ON versions.model_id = models.id
    WHERE ${id} IS NULL OR models.id = ${id}
    ORDER BY models.id, versions.version DESC`
}
