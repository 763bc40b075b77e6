import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { makeRunDirectory, removeRunDirectory } from '../../runtime/replica/run-directory.ts'

const { uid } = userInfo()
let original: string | undefined
let root = ''

// A folder for temporary files of the test's own: the real one has other servers' folders.
beforeEach(() => {
  original = process.env.TMPDIR
  root = mkdtempSync(join(tmpdir(), 'isoplex-run-test-'))
  process.env.TMPDIR = root
})

afterEach(() => {
  if (original === undefined) delete process.env.TMPDIR
  else process.env.TMPDIR = original
  rmSync(root, { recursive: true, force: true })
})

/** The id of a process that has ended. */
function deadPid(): number {
  return Bun.spawnSync([process.execPath, '--version']).pid
}

function plant(name: string): string {
  const directory = join(root, name)
  mkdirSync(directory)
  writeFileSync(join(directory, 'gateway.sock'), '')
  return directory
}

it('makes a folder that is open to its user only', () => {
  const directory = makeRunDirectory()
  expect(lstatSync(directory).mode & 0o777).toBe(0o700)
  expect(lstatSync(directory).uid).toBe(uid)
  expect(basename(directory)).toMatch(new RegExp(`^isoplex-${uid}-${process.pid}-`))
})

it('makes another each time, and leaves those of the living', () => {
  const first = makeRunDirectory()
  const second = makeRunDirectory()
  expect(second).not.toBe(first)
  expect(existsSync(first)).toBe(true)
})

it('leaves room in it for the path of a socket', () => {
  process.env.TMPDIR = '/tmp'
  const directory = makeRunDirectory()
  try {
    // The shortest limit of the systems that have such sockets.
    expect(Buffer.byteLength(join(directory, 'gateway.sock'))).toBeLessThan(104)
  } finally {
    removeRunDirectory(directory)
  }
})

it('removes what processes left that have died', () => {
  const left = plant(`isoplex-${uid}-${deadPid()}-abc123`)
  makeRunDirectory()
  expect(existsSync(left)).toBe(false)
})

it.each([
  ['of a process that lives', () => `isoplex-${uid}-${process.pid}-abc123`],
  ['of a process of another user', () => `isoplex-${uid}-1-abc123`],
  ['of another user', () => `isoplex-${uid + 1}-${deadPid()}-abc123`],
  ['of another user whose id begins alike', () => `isoplex-${uid}7-${deadPid()}-abc123`],
  ['without a process', () => `isoplex-${uid}-abc123`],
  ['with a process group', () => `isoplex-${uid}-0-abc123`],
  ['with a negative process', () => `isoplex-${uid}--5-abc123`],
  ['of another program', () => `other-${uid}-${deadPid()}`],
])('leaves a folder %s', (_, name) => {
  const left = plant(name())
  makeRunDirectory()
  expect(readdirSync(left)).toEqual(['gateway.sock'])
})

it('follows no link: what it points to stays', () => {
  const target = plant('precious')
  symlinkSync(target, join(root, `isoplex-${uid}-${deadPid()}-abc123`))
  makeRunDirectory()
  expect(readdirSync(target)).toEqual(['gateway.sock'])
})

it('removes its folder and all that is in it, and again without a word', () => {
  const directory = makeRunDirectory()
  writeFileSync(join(directory, 'gateway.sock'), '')
  removeRunDirectory(directory)
  removeRunDirectory(directory)
  expect(existsSync(directory)).toBe(false)
})
