import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { compare, type Figure } from './figure.ts'
import { keepFigures, readRecords } from './record.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'isoplex-record-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const figure = (value: number): Figure =>
  compare({ name: 'a', unit: 'ms', peer: 'limit', goal: '<= 1', values: [value], peerValues: [10] })

it('keeps the last figures of each benchmark, with machine, date and versions', async () => {
  const file = join(folder, 'figures.json')
  expect(await readRecords(file)).toEqual({})
  await keepFigures('second', [figure(1)], file)
  await keepFigures('first', [figure(2)], file)
  await keepFigures('second', [figure(3), figure(4)], file)
  const records = await readRecords(file)
  expect(Object.keys(records)).toEqual(['first', 'second'])
  expect(records.first?.figures).toEqual([figure(2)])
  expect(records.second?.figures).toEqual([figure(3), figure(4)])
  const { date, machine, versions } = records.second ?? {}
  expect(date).toMatch(/^\d{4}-\d\d-\d\dT/)
  expect(machine?.cores).toBeGreaterThan(0)
  expect(machine?.memoryBytes).toBeGreaterThan(0)
  expect(versions).toMatchObject({ bun: Bun.version, elysia: expect.stringMatching(/^\d/) })
})
