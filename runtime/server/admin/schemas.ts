import { Type } from '@sinclair/typebox'

// How long texts may be and what ids look like, the registry says itself: these hold the shape only.
const closed = { additionalProperties: false }
const textOrNull = Type.Union([Type.String(), Type.Null()])
const fields = Type.Optional(Type.Record(Type.String(), Type.Unknown()))

/** A model whose file is on the server's machine: for the control socket only. */
export const localModelSchema = Type.Object(
  { id: Type.String(), source: Type.String(), fields, tenant: Type.Optional(textOrNull) },
  closed,
)

/** A model whose file was uploaded by the same access. */
export const uploadedModelSchema = Type.Object(
  { id: Type.String(), upload: Type.String({ maxLength: 64 }), fields, tenant: Type.Optional(textOrNull) },
  closed,
)

/** What an alias is to mean. */
export const aliasSchema = Type.Object(
  {
    targets: Type.Array(Type.Object({ version: Type.Integer(), weight: Type.Integer() }, closed), {
      maxItems: 64,
    }),
  },
  closed,
)

/** What becomes of what is broken. */
export const verifySchema = Type.Object({ remove: Type.Optional(Type.Boolean()) }, closed)

/** How much may stay. */
export const pruneSchema = Type.Object(
  { maxBytes: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }) },
  closed,
)

/** A tenant to be added. */
export const tenantSchema = Type.Object({ name: Type.String() }, closed)

/** An access to be added. What is left out is not limited, and the right is the least. */
export const accessSchema = Type.Object(
  {
    tenant: Type.Optional(textOrNull),
    models: Type.Optional(Type.Union([Type.Array(Type.String(), { maxItems: 1_000 }), Type.Null()])),
    rights: Type.Optional(Type.Union([Type.Literal('use'), Type.Literal('publish'), Type.Literal('admin')])),
    label: Type.Optional(Type.String()),
    expiresAtMs: Type.Optional(Type.Union([Type.Integer(), Type.Null()])),
  },
  closed,
)

/** A model to be made ready. */
export const pullSchema = Type.Object({ id: Type.String(), tenant: Type.Optional(textOrNull) }, closed)

const placement = {
  model: Type.String({ minLength: 1, maxLength: 512 }),
  function: Type.Optional(Type.Union([Type.String({ maxLength: 256 }), Type.Null()])),
  tenant: Type.Optional(textOrNull),
}

/** A model that is loaded or pinned, in one function or in all. */
export const placementSchema = Type.Object(placement, closed)

/** A model to be loaded. */
export const loadSchema = Type.Object({ ...placement, pin: Type.Optional(Type.Boolean()) }, closed)
