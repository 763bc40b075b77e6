import { expect, it } from 'vitest'
import { openCLibrary } from '../../runtime/entry/c-library.ts'

it.runIf(process.platform === 'linux')('is the one of this machine', () => {
  const library = openCLibrary()
  // No process has this number, and no option of prctl is that high.
  expect(library?.setpgid(2 ** 31 - 1, 0)).toBe(-1)
  expect(library?.prctl(2 ** 31 - 1, 0n, 0n, 0n, 0n)).toBe(-1)
})
