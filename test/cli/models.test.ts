import { InvalidArgumentError } from 'commander'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { collectField, formatModels, formatVersions, parseVersionName } from '../../runtime/cli/models.ts'
import type { RegisteredModel } from '../../runtime/model/registered-model.ts'
import { type Outcome, runCommand, startOnTerminal } from '../support/command.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { makeProject, type TestProject } from '../support/server.ts'

describe('parseVersionName', () => {
  it.each([
    ['digits', { id: 'digits', version: null }],
    ['digits@2', { id: 'digits', version: 2 }],
    ['digits@10', { id: 'digits', version: 10 }],
  ])('reads %s', (text, name) => {
    expect(parseVersionName(text)).toEqual(name)
  })

  it.each([
    'digits@',
    'digits@0',
    'digits@x',
    'digits@1.5',
    'digits@-1',
    'digits@1@2',
    'digits@prod@1',
    '@@',
    '',
    '../digits',
    'digits@prod',
  ])('refuses %s', (text) => {
    expect(() => parseVersionName(text)).toThrow(InvalidArgumentError)
  })
})

describe('collectField', () => {
  it('takes what is JSON as such, and all else as text', () => {
    const texts = ['a=1', 'b=[1,"x"]', 'c=plain words', 'd=', 'e=x=y', 'f="1"', '__proto__=1']
    const fields = texts.reduce<Readonly<Record<string, unknown>>>(
      (collected, text) => collectField(text, collected),
      {},
    )
    expect(Object.entries(fields)).toEqual([
      ['a', 1],
      ['b', [1, 'x']],
      ['c', 'plain words'],
      ['d', ''],
      ['e', 'x=y'],
      ['f', '1'],
      ['__proto__', 1],
    ])
  })

  it.each(['a', '=1', ''])('refuses "%s"', (text) => {
    expect(() => collectField(text)).toThrow(InvalidArgumentError)
  })
})

describe('the lists for people', () => {
  const version = { digest: 'abc', addedAtMs: 0, fields: { a: 1 } }
  const model: RegisteredModel = {
    id: 'digits',
    tenant: null,
    folderFingerprint: null,
    aliases: [],
    versions: [
      { ...version, version: 2, sizeBytes: 2_000 },
      { ...version, version: 1, sizeBytes: 10 },
    ],
  }

  it('show of each model the newest version, and where it comes from', () => {
    const aliases = [{ alias: 'prod', targets: [] }]
    const versions = model.versions.map((one) => ({ ...one, fields: { browser: one.version === 2 } }))
    const folder = { ...model, id: 'speech', tenant: 'acme', folderFingerprint: 'x', aliases, versions }
    expect(formatModels([model, folder]).split('\n')).toEqual([
      'ID      VERSION  SIZE    VERSIONS  ALIASES  TENANT  BROWSER  ORIGIN',
      'digits  2        2.0 KB  2         -        -       -        added',
      'speech  2        2.0 KB  2         prod     acme    yes      folder',
    ])
  })

  it('say how to add a first model', () => {
    expect(formatModels([])).toBe('No models. Add one with: isoplex models add PATH --id ID')
  })

  it('show what aliases mean', () => {
    const canary = {
      alias: 'canary',
      targets: [
        { version: 2, weight: 1 },
        { version: 1, weight: 9 },
      ],
    }
    const prod = { alias: 'prod', targets: [{ version: 1, weight: 1 }] }
    expect(
      formatVersions({ ...model, aliases: [canary, prod] })
        .split('\n')
        .slice(-3),
    ).toEqual(['ALIAS          MEANS', 'digits@canary  2:1,1:9', 'digits@prod    1'])
  })

  it('show all versions of a model', () => {
    expect(formatVersions(model).split('\n')).toEqual([
      'VERSION   SIZE    ADDED                     SHA-256  FIELDS',
      'digits@2  2.0 KB  1970-01-01T00:00:00.000Z  abc      {"a":1}',
      'digits@1  10 B    1970-01-01T00:00:00.000Z  abc      {"a":1}',
    ])
  })
})

describe('isoplex models', () => {
  let project: TestProject
  const run = (...args: string[]): Promise<Outcome> => runCommand(project, 'models', ...args)

  beforeAll(async () => {
    project = await makeProject({
      'functions/_models/folder/model.onnx': addConstantModel(1),
      'a.onnx': addConstantModel(2),
      'b.onnx': addConstantModel(3),
      'cut.zip': 'PK\u0003\u0004 and no more',
      'empty.onnx': '',
      'docs/readme.md': 'Nothing here.',
    })
  })
  afterAll(() => project[Symbol.asyncDispose]())

  it('adds versions with fields, lists and shows them, and removes them', async () => {
    const first = await run('add', 'a.onnx', '--id', 'mine', '--field', 'labels=["a"]', '--field', 'note=hi')
    expect(first).toMatchObject({ code: 0, stderr: '' })
    expect(first.stdout).toMatch(/^Added mine@1 \(\d+ B, sha256 [0-9a-f]{64}\)\n$/)
    const second = JSON.parse((await run('add', 'b.onnx', '--id', 'mine', '--json')).stdout)
    expect(second).toMatchObject({ id: 'mine', version: 2, changed: true })
    expect((await run('add', 'b.onnx', '--id', 'mine')).stdout).toMatch(/^Unchanged: mine@2 /)

    const list = JSON.parse((await run('list', '--json')).stdout) as RegisteredModel[]
    expect(list.map(({ id }) => id)).toEqual(['folder', 'mine'])
    expect((await run('list')).stdout).toMatch(/^mine +2 +\d+ B +2 +- +- +- +added$/m)
    const { versions } = JSON.parse((await run('show', 'mine', '--json')).stdout) as RegisteredModel
    expect(versions.map(({ version, fields }) => [version, fields])).toEqual([
      [2, {}],
      [1, { labels: ['a'], note: 'hi' }],
    ])
    expect((await run('show', 'mine')).stdout).toMatch(/^mine@1 .* \{"labels":\["a"\],"note":"hi"\}$/m)

    expect((await run('alias', 'mine', 'prod', '2:90,1:10')).stdout).toBe('mine@prod is 2:90,1:10\n')
    expect((await run('remove', 'mine@2')).stderr).toMatch(/named by mine@prod/)
    expect((await run('unalias', 'mine', 'prod')).stdout).toBe('Removed mine@prod\n')
    expect((await run('remove', 'mine@2')).stdout).toBe('Removed mine@2\n')
    expect(JSON.parse((await run('remove', 'mine', '--json')).stdout)).toEqual({ id: 'mine', version: null })
    expect((await run('show', 'mine')).code).toBe(1)
  })

  it('marks a version for browsers, and only where that is asked for', async () => {
    const fields = ['--field', 'note=hi']
    await run('add', 'a.onnx', '--id', 'page', ...fields)
    const marked = JSON.parse(
      (await run('add', 'a.onnx', '--id', 'page', ...fields, '--browser', '--json')).stdout,
    )
    expect(marked).toMatchObject({ version: 2, changed: true })
    const { versions } = JSON.parse((await run('show', 'page', '--json')).stdout) as RegisteredModel
    expect(versions.map(({ digest, fields }) => [digest, fields])).toEqual([
      [marked.digest, { note: 'hi', browser: true }],
      [marked.digest, { note: 'hi' }],
    ])
    await run('remove', 'page')
  })

  it.each([
    [['add', 'nowhere.onnx', '--id', 'a'], /nowhere\.onnx" does not exist/],
    [['add', 'a.onnx', '--id', '../a'], /"\.\.\/a" is no model id/],
    [['add', 'a.onnx', '--id', ''], /"" is no model id/],
    [['add', 'cut.zip', '--id', 'a'], /zip archive: it is none, or it was cut short/],
    [['add', 'empty.onnx', '--id', 'a'], /empty\.onnx" is empty/],
    [['add', 'docs', '--id', 'a'], /docs" holds no file of a model/],
    [['add', 'a.onnx', '--id', 'a', '--field', 'x'], /name=value/],
    [['alias', 'nobody', 'prod', '1'], /There is no model "nobody"/],
    [['alias', 'folder', 'prod', '9'], /no model "folder@9"|no version/],
    [['alias', 'folder', 'prod', '1:0'], /must be a version, or weights/],
    [['alias', 'folder', '1', '1'], /alias/],
    [['unalias', 'folder', 'prod'], /prod/],
    [['show', 'nobody'], /There is no model "nobody"/],
    [['remove', 'nobody'], /There is no model "nobody"/],
    [['remove', 'nobody@3'], /There is no model "nobody/],
    [['remove', 'folder'], /folder/],
    [['remove', 'folder@1'], /folder/],
  ])('refuses %j and says why', async (args, reason) => {
    const { code, stdout, stderr } = await run(...args)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(reason)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  })

  it('says of a folder that cannot be taken why not, and goes on', async () => {
    await using other = await makeProject({ 'functions/_models/bad/model.zip': 'PK\u0003\u0004 and no more' })
    const { code, stdout, stderr } = await runCommand(other, 'models', 'list')
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^No models\./) })
    expect(stderr).toMatch(/^Model bad failed: .*cut short/)
  })

  it('draws a bar on a terminal while it adds, and takes it away', async () => {
    await using command = startOnTerminal(project, 'models', 'add', 'a.onnx', '--id', 'drawn')
    expect(await command.ended).toBe(0)
    expect(command.stdout()).toMatch(/drawn .*%/)
    expect(command.stdout().trimEnd()).toMatch(/Added drawn@1 \(.*\)$/)
  })
})
