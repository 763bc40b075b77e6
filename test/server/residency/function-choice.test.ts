import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { defineFunction, defineInference, onnx } from '../../../runtime/index.ts'
import type { ServedFunction } from '../../../runtime/server/exchange.ts'
import { chooseFunctions, idOf } from '../../../runtime/server/residency/function-choice.ts'
import { deploymentOf, manifestOf } from '../served.ts'

const infer = (): unknown => null

function inference(name: string, defaultModel?: string): ServedFunction {
  const model = onnx(defaultModel === undefined ? {} : { default: defaultModel })
  const manifest = manifestOf(`${name}.ts`, defineInference({ input: Type.Unknown(), model, infer }))
  return { manifest, deployment: deploymentOf(manifest) }
}

const plainManifest = manifestOf('hello.ts', defineFunction({ handler: infer }))
const plain: ServedFunction = { manifest: plainManifest, deployment: deploymentOf(plainManifest) }

function choose(
  functions: readonly ServedFunction[],
  model: string,
  { named = null, holders = [] }: { readonly named?: string | null; readonly holders?: string[] } = {},
): readonly string[] {
  const question = { model, functionName: named, holders: new Set(holders) }
  return chooseFunctions(functions, question).map(({ manifest }) => manifest.name)
}

describe('the functions that a model is meant for', () => {
  it('are the one that is named', () => {
    const functions = [inference('a', 'digits'), inference('b'), plain]
    expect(choose(functions, 'digits', { named: 'b' })).toEqual(['b'])
  })

  it('are those whose default it is, whatever the version', () => {
    const functions = [inference('a', 'digits'), inference('b', 'digits@prod'), inference('c', 'vad')]
    expect(choose(functions, 'digits@3')).toEqual(['a', 'b'])
  })

  it('are the only one that takes a model', () => {
    expect(choose([plain, inference('a')], 'digits')).toEqual(['a'])
    expect(choose([plain, inference('a', 'vad')], 'digits')).toEqual(['a'])
  })

  it('are those that have it loaded', () => {
    const functions = [inference('a'), inference('b'), inference('c')]
    expect(choose(functions, 'digits', { holders: ['b', 'gone'] })).toEqual(['b'])
  })

  it.each([
    [[inference('a'), inference('b')], null, /name one; there are: a, b/],
    [[plain], null, /there are: none/],
    [[], null, /there are: none/],
    [[inference('a'), plain], 'hello', /no such function with a model; there are: a/],
    [[inference('a')], 'nowhere', /no such function with a model; there are: a/],
  ])('are asked for where they are not clear (%#)', (functions, named, message) => {
    expect(() => choose(functions, 'digits', { named })).toThrow(message)
  })
})

it.each([
  ['digits', 'digits'],
  ['digits@3', 'digits'],
  ['a@b@prod', 'a@b'],
  ['@3', '@3'],
])('the id of %j is %j', (model, id) => {
  expect(idOf(model)).toBe(id)
})
