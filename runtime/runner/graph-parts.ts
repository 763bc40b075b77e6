import type { ModelInfo } from '../define/context.ts'
import type { Definition } from '../define/definition.ts'
import type { HandleOptions } from '../define/handle.ts'
import type { FunctionHandles, FunctionHandlesOptions } from './function-handles.ts'

/** A model that is held for a function which a graph calls. */
export interface HeldPart {
  /** The function's name. */
  readonly function: string
  /** The model that the graph asks it for; `null` where that is left to the token, then to the function. */
  readonly asked: string | null
  /** The model's key. */
  readonly key: string
  readonly model: ModelInfo
}

/**
 * Makes what says where the functions answer that a graph calls: beside it where their models are held with it, else as
 * `otherwise` has it.
 */
export function createPartPlacement(
  parts: readonly HeldPart[],
  otherwise: FunctionHandlesOptions['place'],
): FunctionHandlesOptions['place'] {
  const byQuestion = new Map(parts.map((part) => [questionOf(part.function, part.asked), part]))
  return (fn, options, opening) => {
    const { model: asked = null, deployment } = options
    const mayHold = fn.name !== null && fn.definition.model !== undefined && deployment === undefined
    const part = mayHold ? byQuestion.get(questionOf(fn.name, asked)) : undefined
    return part ? { key: part.key, prepare: async () => part.model } : otherwise(fn, options, opening)
  }
}

/** Loads all functions that a graph calls and that answer beside it, one after the other; graphs within it included. */
export async function loadNodes(
  { graph }: Definition,
  handles: Pick<FunctionHandles, 'load'>,
): Promise<void> {
  for (const { work } of graph?.nodes ?? []) {
    if (work.kind !== 'function') continue
    const { definition, options } = work
    await handles.load(definition, options satisfies HandleOptions)
    await loadNodes(definition, handles)
  }
}

function questionOf(name: string | null, asked: string | null): string {
  return JSON.stringify([name, asked])
}
