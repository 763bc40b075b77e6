import { expect, it } from 'vitest'
import { defineFunction } from '../../runtime/define/function.ts'
import { functionNameOf, noteFunctionName } from '../../runtime/define/function-name.ts'
import { defineGraph } from '../../runtime/define/graph.ts'
import { nameNodes } from '../../runtime/define/graph-names.ts'
import { bind, derive } from '../../runtime/define/graph-node.ts'

it('names nodes after their functions, numbered where a name comes again', () => {
  const [read, input] = [1, 2].map(() => defineFunction({ handler: () => 1 }))
  const unknown = defineFunction({ handler: () => 1 })
  if (!read || !input) throw new Error('There are two.')
  const { graph } = defineGraph({
    answer: [
      bind(read, undefined),
      bind(read, undefined, { name: 'read-2' }),
      bind(read, undefined),
      bind(input, undefined),
      bind(unknown, undefined),
      derive(1, function count() {
        return 1
      }),
      derive(1, () => 1),
    ],
  })
  const names = new Map([
    [read, 'ocr/read'],
    [input, 'input'],
  ])
  const nodes = graph?.nodes ?? []
  const given = nameNodes(nodes, (definition) => names.get(definition as typeof read))
  expect(nodes.map((node) => given.get(node))).toEqual([
    'read',
    'read-2',
    'read-3',
    'input-2',
    'function',
    'count',
    'derive',
  ])
})

it('knows the name of a function once it is noted, and before by what the function says', () => {
  const fn = defineFunction({ name: 'own', handler: () => 1 })
  expect(functionNameOf(fn)).toBe('own')
  noteFunctionName(fn, 'folder/own')
  expect(functionNameOf(fn)).toBe('folder/own')
  expect(functionNameOf(defineFunction({ handler: () => 1 }))).toBeUndefined()
})
