import { Kind, type TSchema } from '@sinclair/typebox'
import { type TypeCheck, TypeCompiler } from '@sinclair/typebox/compiler'
import { Value, type ValueError } from '@sinclair/typebox/value'
import { formatShape } from '../engine/tensor.ts'
import type { SchemaIssue } from '../error/codes.ts'
import './format.ts'
import { isFileSchema, isTensorSchema } from './schema.ts'

/** The most places that one refusal names. */
export const maxIssues = 32

/** A schema made ready to check values. */
export interface Checker {
  /** What the schema refuses, at most {@link maxIssues} places with one reason each; empty where it fits. */
  issues(value: unknown): readonly SchemaIssue[]
}

/**
 * Makes a schema ready to check values. It compiles the schema to code; where a page's content security
 * policy forbids that, it interprets the schema.
 */
export function createChecker(schema: TSchema): Checker {
  const compiled = compile(schema)
  return {
    issues(value) {
      try {
        if (compiled ? compiled.Check(value) : Value.Check(schema, value)) return []
        return collectIssues(compiled ? compiled.Errors(value) : Value.Errors(schema, value))
      } catch (error) {
        // A recursive schema is followed as deep as the value goes, and that is the sender's choice.
        if (error instanceof RangeError) return [tooDeep]
        throw error
      }
    },
  }
}

const tooDeep: SchemaIssue = Object.freeze({
  path: '',
  message: 'Expected a value that is nested less deeply',
})

function compile(schema: TSchema): TypeCheck<TSchema> | null {
  try {
    return TypeCompiler.Compile(schema)
  } catch (error) {
    if (error instanceof EvalError) return null
    throw error
  }
}

/** The first reason of each place. The iterator is lazy: a value that is wrong everywhere costs no more. */
function collectIssues(errors: Iterable<ValueError>): readonly SchemaIssue[] {
  const issues = new Map<string, SchemaIssue>()
  for (const { path, message, schema } of errors) {
    if (issues.has(path)) continue
    issues.set(path, { path, message: reasonOf(schema, message) })
    if (issues.size === maxIssues) break
  }
  return [...issues.values()]
}

/** TypeBox has no words for kinds that are not its own, nor for what a union takes: that one may say so itself. */
function reasonOf(schema: TSchema, message: string): string {
  if (isTensorSchema(schema))
    return `Expected a ${schema.tensorType} tensor of shape ${formatShape(schema.dims)}`
  if (isFileSchema(schema)) {
    const limit = schema.maxBytes === undefined ? '' : ` of at most ${schema.maxBytes} bytes`
    return `Expected a file (${schema.mediaTypes.join(', ')})${limit}`
  }
  if (schema[Kind] === 'Union' && typeof schema.expected === 'string') return `Expected ${schema.expected}`
  return message
}
