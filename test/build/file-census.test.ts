import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { hashText } from '../../runtime/build/content-hash.ts'
import { FileCensus, isWithin } from '../../runtime/build/file-census.ts'
import { createProject, type TestProject } from './project.ts'

let project: TestProject
let census: FileCensus

const at = (name: string) => join(project.directory, name)
const changes = (...names: readonly string[]) => census.changesAt(names.map(at))

beforeEach(async () => {
  project = await createProject({
    'functions/a.ts': 'a',
    'functions/deep/b.ts': 'b',
    'functions/.hidden/c.ts': 'c',
    'functions/node_modules/d/d.ts': 'd',
    'functions/_models/digits/train.ts': 'e',
    'functions/e.ts~': 'f',
    'lib/deep/help.ts': 'help',
  })
  census = new FileCensus(project.directory, at('functions'))
})

afterEach(() => project[Symbol.asyncDispose]())

describe('a census', () => {
  it('finds the files of the functions folder, each once', async () => {
    expect(await changes('functions')).toEqual(['functions/a.ts', 'functions/deep/b.ts'])
    expect(await changes('functions')).toEqual([])
  })

  it('finds what has changed and what has gone at a path', async () => {
    await changes('functions')
    await project.write({ 'functions/a.ts': 'a2', 'functions/deep/b.ts': 'b2' })
    expect(await changes('functions/deep')).toEqual(['functions/deep/b.ts'])
    expect(await changes('functions/a.ts', 'functions/a.ts')).toEqual(['functions/a.ts'])
    await project.remove('functions/deep')
    expect(await changes('functions/deep')).toEqual(['functions/deep/b.ts'])
    expect(await changes('functions/deep')).toEqual([])
  })

  it('counts a link to a file by what it leads to, and walks no link to a folder', async () => {
    await symlink(at('lib/deep/help.ts'), at('functions/link.ts'))
    await symlink(at('functions'), at('functions/cycle'))
    await symlink(at('nowhere'), at('functions/dangling.ts'))
    expect(await changes('functions')).toEqual(['functions/a.ts', 'functions/deep/b.ts', 'functions/link.ts'])
  })

  it('follows sources outside the folder, whose hashes it takes as known', async () => {
    census.follow(new Map([['lib/deep/help.ts', hashText('help')]]))
    expect(await changes('lib')).toEqual([])
    census.follow(new Map([['lib/deep/help.ts', hashText('earlier')]]))
    expect(await changes('lib')).toEqual(['lib/deep/help.ts'])
  })

  it('gives the sources that it knew otherwise', () => {
    const sources = new Map([
      ['lib/deep/help.ts', 'one'],
      ['lib/missing.ts', null],
      ['../outside.ts', 'one'],
      ['node_modules/x/index.js', 'one'],
    ])
    expect(census.follow(sources)).toEqual(['lib/deep/help.ts'])
    expect(census.follow(sources)).toEqual([])
  })

  it('names the folders to watch, those above before those within', () => {
    const named = () =>
      census.directories.map(({ directory, recursive }) => [
        directory.slice(project.directory.length),
        recursive,
      ])
    expect(named()).toEqual([
      ['', false],
      ['/functions', true],
    ])
    census.follow(
      new Map([
        ['lib/deep/help.ts', 'x'],
        ['functions/_models/digits/train.ts', 'x'],
      ]),
    )
    expect(named()).toEqual([
      ['', false],
      ['/lib', false],
      ['/lib/deep', false],
      ['/functions', true],
    ])
  })

  it('knows which paths concern it', () => {
    census.follow(new Map([['lib/deep/help.ts', 'x']]))
    for (const name of ['functions', 'functions/new.ts', 'functions/new/folder', 'lib', 'lib/deep/help.ts']) {
      expect([name, census.concerns(at(name))]).toEqual([name, true])
    }
    for (const name of [
      'other',
      'lib/deep/other.ts',
      'functions/_models/x',
      'functions/.git',
      'functions/a.ts~',
    ]) {
      expect([name, census.concerns(at(name))]).toEqual([name, false])
    }
  })
})

describe('isWithin', () => {
  it('takes a folder and what is in it, and nothing that is only called alike', () => {
    expect(isWithin('/a/b', '/a/b')).toBe(true)
    expect(isWithin('/a/b/c/d', '/a/b')).toBe(true)
    expect(isWithin('/a/bc', '/a/b')).toBe(false)
    expect(isWithin('/a', '/a/b')).toBe(false)
  })
})
