import { SQL } from 'bun'
import { describe, expect, it } from 'vitest'
import { toStorageError } from '../../runtime/model/storage-error.ts'
import { rejectionOf } from './scratch.ts'

describe('toStorageError', () => {
  it('says of a full database that the disk is full', async () => {
    const database = new SQL('sqlite://:memory:')
    await database`PRAGMA max_page_count = 2`
    const full = await rejectionOf(database`CREATE TABLE a AS SELECT randomblob(100000)`)
    expect(toStorageError(full)).toMatchObject({
      code: 'STORAGE_FULL',
      message: expect.stringContaining('is full'),
      cause: full,
    })
    await database.close()
  })

  it('leaves any other error as it is', () => {
    for (const error of [new Error('x'), Object.assign(new Error('x'), { code: 'EACCES' }), 'x', undefined]) {
      expect(toStorageError(error)).toBe(error)
    }
  })
})
