import { expect, it } from 'vitest'
import { findFunction } from '../../runtime/cli/run-request.ts'
import { sampleFunction } from '../build/manifest-samples.ts'

const mistake = {
  file: 'functions/broken.ts',
  place: { file: 'functions/broken.ts', line: 3, column: 1 },
  reason: 'Unexpected end.',
  served: false,
}
const manifest = {
  functions: [sampleFunction('digits'), sampleFunction('hello/[name]')],
  broken: [mistake],
}

it('finds a function by its name', () => {
  expect(findFunction(manifest, 'hello/[name]').file).toBe('functions/hello/[name].ts')
})

it('names the nearest where a name is misspelt', () => {
  expect(() => findFunction(manifest, 'digit')).toThrow(
    expect.objectContaining({
      code: 'ROUTE_NOT_FOUND',
      message: 'There is no function "digit"; did you mean "digits"?',
    }),
  )
})

it('names all where none is near', () => {
  expect(() => findFunction(manifest, 'something')).toThrow('there is digits, hello/[name].')
  expect(() => findFunction({ functions: [], broken: [] }, 'something')).toThrow('there is none.')
})

it('says why a broken one cannot run', () => {
  expect(() => findFunction(manifest, 'broken')).toThrow(
    expect.objectContaining({ code: 'BUILD_FAILED', message: 'functions/broken.ts:3:1: Unexpected end.' }),
  )
})
