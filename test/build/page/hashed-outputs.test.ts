import { describe, expect, it } from 'vitest'
import { hashText } from '../../../runtime/build/content-hash.ts'
import { hashOfFileName } from '../../../runtime/build/page/file-name.ts'
import { type NamedText, renameByContent } from '../../../runtime/build/page/hashed-outputs.ts'

const outputs = (leaf: string): readonly NamedText[] => [
  {
    path: './worker.js',
    text: `import"./shared-1a2b3c4d.js";import("./ort.min-5e6f7a8b.js");list("./worker.js")\n`,
  },
  { path: './ort.min-5e6f7a8b.js', text: 'import"./shared-1a2b3c4d.js"\n' },
  { path: './shared-1a2b3c4d.js', text: `${leaf}\n//# debugId=ABCDEF\n` },
  { path: './worker.css', text: 'p{}\n' },
]

describe('renameByContent', () => {
  it('names each file after what it holds, with the new names of what it imports', () => {
    const renamed = renameByContent(outputs('one'))
    const [worker, ort, shared, styles] = [...outputs('').map(({ path }) => renamed.get(path.slice(2)))]
    expect(shared).toEqual({ path: `shared-${hashText('one\n')}.js`, text: 'one\n' })
    expect(ort?.text).toBe(`import"./${shared?.path}"\n`)
    expect(worker?.text).toBe(`import"./${shared?.path}";import("./${ort?.path}");list("./worker.js")\n`)
    expect(worker?.path).toMatch(/^worker-[0-9a-f]{16}\.js$/)
    expect(styles?.path).toMatch(/^worker-[0-9a-f]{16}\.css$/)
    for (const { path, text } of renamed.values()) expect(hashOfFileName(path)).toBe(hashText(text))
  })

  it('gives other names to what imports something that has changed, and to nothing else', () => {
    const [first, same, other] = [outputs('one'), outputs('one').toReversed(), outputs('two')].map((each) =>
      Object.fromEntries([...renameByContent(each)].map(([name, { path }]) => [name, path])),
    )
    expect(same).toEqual(first)
    expect(other?.['worker.css']).toBe(first?.['worker.css'])
    for (const name of ['worker.js', 'ort.min-5e6f7a8b.js', 'shared-1a2b3c4d.js'])
      expect(other?.[name]).not.toBe(first?.[name])
  })

  it('refuses files that import each other in a circle', () => {
    const circle = [
      { path: './a.js', text: 'import"./b.js"' },
      { path: './b.js', text: 'import"./a.js"' },
    ]
    expect(() => renameByContent(circle)).toThrow('a.js imports itself by way of a.js, b.js.')
  })
})
