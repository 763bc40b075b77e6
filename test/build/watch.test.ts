import { mkdir, rename, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { hashText } from '../../runtime/build/content-hash.ts'
import { type FunctionWatcher, watchFunctions } from '../../runtime/build/watch.ts'
import { constantFunction, createProject, type TestProject } from './project.ts'

interface Scene {
  readonly project: TestProject
  readonly watcher: FunctionWatcher
  readonly path: (name: string) => string
  /** Waits until exactly these files were told since the last call. */
  changes(...files: readonly string[]): Promise<void>
  /** Waits until exactly these models were told since the last call. */
  models(...names: readonly string[]): Promise<void>
}

const disposables: (Disposable | AsyncDisposable)[] = []

afterEach(async () => {
  const stack = new AsyncDisposableStack()
  for (const disposable of disposables.splice(0)) stack.use(disposable)
  await stack.disposeAsync()
})

async function setUp(files: Readonly<Record<string, string>>, quietMs = 20): Promise<Scene> {
  const project = await createProject({ 'functions/a.ts': 'a', ...files })
  const changed = new Set<string>()
  const models = new Set<string>()
  const addTo = (told: Set<string>) => (names: readonly string[]) => {
    for (const name of names) told.add(name)
  }
  const watcher = await watchFunctions({
    projectDirectory: project.directory,
    quietMs,
    onChange: addTo(changed),
    onModelChange: addTo(models),
    onError: (error) => {
      throw error
    },
  })
  disposables.push(project, watcher)
  const expectExactly = async (told: Set<string>, names: readonly string[]) => {
    await expect.poll(() => [...told].toSorted(), { timeout: 5000, interval: 5 }).toEqual(names.toSorted())
    told.clear()
  }
  return {
    project,
    watcher,
    path: (name) => join(project.directory, name),
    changes: (...names) => expectExactly(changed, names),
    models: (...names) => expectExactly(models, names),
  }
}

describe('a watcher tells', () => {
  it('files that are written, new or gone', async () => {
    const { project, changes } = await setUp({})
    await project.write({ 'functions/a.ts': 'other' })
    await changes('functions/a.ts')
    await project.write({ 'functions/b.ts': 'b', 'functions/deep/er/c.ts': 'c' })
    await changes('functions/b.ts', 'functions/deep/er/c.ts')
    await project.write({ 'functions/deep/er/c.ts': 'c2' })
    await changes('functions/deep/er/c.ts')
    await project.remove('functions/b.ts')
    await changes('functions/b.ts')
  })

  it('neither what is touched, nor what is written as it was', async () => {
    const { project, path, changes } = await setUp({ 'functions/b.ts': 'b' })
    await utimes(path('functions/a.ts'), new Date(), new Date())
    await project.write({ 'functions/a.ts': 'a' })
    await project.write({ 'functions/b.ts': 'last' })
    await changes('functions/b.ts')
  })

  it('what an editor saves under another name and renames', async () => {
    const { project, path, changes } = await setUp({})
    await project.write({ 'functions/.a.ts.swp': 'x', 'functions/a.ts~': 'a' })
    await rename(path('functions/.a.ts.swp'), path('functions/a.ts'))
    await changes('functions/a.ts')
  })

  it('all files of a folder that is moved in, renamed or removed', async () => {
    const { project, path, changes } = await setUp({ 'elsewhere/in/x.ts': 'x', 'elsewhere/y.ts': 'y' })
    await rename(path('elsewhere'), path('functions/one'))
    await changes('functions/one/in/x.ts', 'functions/one/y.ts')
    await rename(path('functions/one'), path('functions/two'))
    await changes(
      'functions/one/in/x.ts',
      'functions/one/y.ts',
      'functions/two/in/x.ts',
      'functions/two/y.ts',
    )
    await project.write({ 'functions/two/in/x.ts': 'x2' })
    await changes('functions/two/in/x.ts')
    await project.remove('functions/two')
    await changes('functions/two/in/x.ts', 'functions/two/y.ts')
  })

  it('what happens in a functions folder that has gone and come back', async () => {
    const { project, path, changes } = await setUp({})
    await project.remove('functions')
    await changes('functions/a.ts')
    await project.write({ 'functions/a.ts': 'back', 'functions/b.ts': 'b' })
    await changes('functions/a.ts', 'functions/b.ts')
    await project.write({ 'functions/a.ts': 'again' })
    await changes('functions/a.ts')
    await rename(path('functions'), path('old'))
    await mkdir(path('functions'))
    await changes('functions/a.ts', 'functions/b.ts')
    await project.write({ 'old/a.ts': 'not watched', 'functions/c.ts': 'c' })
    await changes('functions/c.ts')
  })

  it('a file that is written again and again before there is a pause', async () => {
    const { path, changes } = await setUp({}, 30)
    let told = false
    const telling = changes('functions/a.ts').then(() => {
      told = true
    })
    for (let size = 1; !told; size++) {
      await writeFile(path('functions/a.ts'), 'x'.repeat(size))
      await Bun.sleep(5)
    }
    await telling
  })

  it('changes of models apart from those of code, by the name of the model', async () => {
    const { project, path, changes, models } = await setUp({ 'functions/_models/digits/model.onnx': '1' })
    await project.write({
      'functions/_models/digits/model.onnx': '2',
      'functions/_models/speech/deep/model.onnx': '1',
      'functions/b.ts': 'b',
    })
    await models('digits', 'speech')
    await changes('functions/b.ts')
    await project.remove('functions/_models/speech')
    await models('speech')
    await rename(path('functions/_models'), path('models'))
    await models('digits')
    await rename(path('models'), path('functions/_models'))
    await models('digits')
  })
})

describe('a watcher that follows sources', () => {
  it('tells changes of helpers anywhere in the project, and of nothing else outside the functions', async () => {
    const { project, watcher, changes } = await setUp({ 'lib/deep/help.ts': 'h', 'lib/deep/other.ts': 'o' })
    watcher.follow(new Map([['lib/deep/help.ts', hashText('h')]]))
    await project.write({ 'lib/deep/other.ts': 'o2', 'package.json': '{}' })
    await project.write({ 'lib/deep/help.ts': 'h2' })
    await changes('lib/deep/help.ts')
  })

  it('tells what has changed since the sources were read', async () => {
    const { watcher, changes } = await setUp({ 'lib/help.ts': 'new' })
    watcher.follow(
      new Map([
        ['lib/help.ts', hashText('old')],
        ['functions/a.ts', hashText('old')],
      ]),
    )
    await changes('functions/a.ts', 'lib/help.ts')
  })

  it('tells when a file turns up that was missing, with the folder that it lies in', async () => {
    const { project, watcher, changes } = await setUp({})
    watcher.follow(new Map([['lib/deep/help.ts', null]]))
    await project.write({ 'lib/deep/help.ts': 'h' })
    await changes('lib/deep/help.ts')
    await project.remove('lib')
    await changes('lib/deep/help.ts')
    await project.write({ 'lib/deep/help.ts': 'h' })
    await changes('lib/deep/help.ts')
  })

  it('follows helpers in the folder of models, but not what lies outside the project or in packages', async () => {
    const { project, watcher, changes } = await setUp({ 'functions/_models/digits/samples.ts': 's' })
    watcher.follow(
      new Map([
        ['functions/_models/digits/samples.ts', hashText('s')],
        ['../outside.ts', hashText('never read')],
        ['node_modules/package/index.js', hashText('never read')],
      ]),
    )
    await project.write({ 'functions/_models/digits/samples.ts': 's2' })
    await changes('functions/_models/digits/samples.ts')
  })

  it('lets go of what it follows no more', async () => {
    const { project, watcher, changes } = await setUp({ 'lib/help.ts': 'h' })
    watcher.follow(new Map([['lib/help.ts', hashText('h')]]))
    watcher.follow(new Map())
    await project.write({ 'lib/help.ts': 'h2' })
    await project.write({ 'functions/a.ts': 'a2' })
    await changes('functions/a.ts')
  })
})

describe('a watcher and a builder', () => {
  it('keep a manifest up to date with functions, helpers and what is missing', async () => {
    const project = await createProject({ 'functions/a.ts': constantFunction('a') })
    const builder = project.builder()
    let manifest = await builder.build()
    const watcher = await watchFunctions({
      projectDirectory: project.directory,
      onChange: async (files) => {
        manifest = await builder.build(files)
        watcher.follow(builder.sources)
      },
      onModelChange: () => undefined,
      onError: (error) => {
        throw error
      },
    })
    disposables.push(project, watcher)
    watcher.follow(builder.sources)
    const state = () => manifest.functions.map(({ file, sources }) => [file, ...sources])
    const broken = () => manifest.broken.map(({ place }) => place.file)
    const poll = { timeout: 10_000, interval: 5 }

    await project.write({
      'functions/b.ts': `import { defineFunction } from 'isoplex'
import { help } from '../lib/help.ts'
export default defineFunction({ handler: () => help })
`,
    })
    await expect.poll(broken, poll).toEqual(['functions/b.ts'])
    await project.write({ 'lib/help.ts': 'export const help = ' })
    await expect.poll(broken, poll).toEqual(['lib/help.ts'])
    await project.write({ 'lib/help.ts': 'export const help = 1\n' })
    await expect.poll(broken, poll).toEqual([])
    const [a, b] = manifest.functions
    await project.write({ 'lib/help.ts': 'export const help = 2\n' })
    await expect.poll(() => manifest.functions[1]?.bundle, poll).not.toBe(b?.bundle)
    expect(manifest.functions[0]).toBe(a)
    await project.remove('functions/a.ts')
    await expect.poll(state, poll).toEqual([['functions/b.ts', 'functions/b.ts', 'lib/help.ts']])
  })
})

describe('a watcher that was disposed of', () => {
  it('tells nothing more', async () => {
    const { project, watcher, changes } = await setUp({})
    watcher[Symbol.dispose]()
    const other = Promise.withResolvers<readonly string[]>()
    const witness = await watchFunctions({
      projectDirectory: project.directory,
      quietMs: 100,
      onChange: other.resolve,
      onModelChange: () => undefined,
      onError: other.reject,
    })
    disposables.push(witness)
    await project.write({ 'functions/a.ts': 'a2' })
    expect(await other.promise).toEqual(['functions/a.ts'])
    await changes()
  })
})
