import type { TSchema } from '@sinclair/typebox'
import { isFileValue } from '../define/file-value.ts'
import { findSlots, replaceInSlot } from '../define/slot.ts'
import { isTensor } from '../engine/tensor.ts'
import { fileToJson } from './file-body.ts'
import { tensorToJson } from './tensor-json.ts'

/**
 * Makes what puts the JSON forms of files and tensors where the schema has them. The value itself is left as it
 * is: the objects and arrays on the way are copied.
 */
export function createPlainForm(schema: TSchema): (value: unknown) => unknown {
  const paths = findSlots(schema).map((slot) => slot.path)
  return (value) =>
    paths.reduce((root, path) => replaceInSlot(copyAlong(root, path), path, plainFormOf), value)
}

/** The JSON form of a file or tensor; any other value as it is. */
export function plainFormOf(value: unknown): unknown {
  if (isTensor(value)) return tensorToJson(value)
  return isFileValue(value) ? fileToJson(value) : value
}

/** Copies the objects and arrays on the way to a slot. */
function copyAlong(value: unknown, [name, ...rest]: readonly string[]): unknown {
  if (name === undefined || typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => copyAlong(item, rest))
  const holder = value as Record<string, unknown>
  return Object.hasOwn(holder, name) ? { ...holder, [name]: copyAlong(holder[name], rest) } : holder
}
