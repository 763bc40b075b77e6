import { expect, it } from 'vitest'
import { announceProgress, followProgress } from '../../runtime/page/artifact-progress.ts'
import { until } from '../support/server.ts'

const digest = 'a'.repeat(64)

it('is heard in other realms: some of it, the end of it, and nothing of other artifacts', async () => {
  const heard: number[] = []
  const follower = followProgress(digest, (doneBytes) => void heard.push(doneBytes))
  using other = announceProgress('b'.repeat(64))
  using announcer = announceProgress(digest)
  const totalBytes = 1_000_000
  for (let doneBytes = 1_000; doneBytes <= totalBytes; doneBytes += 1_000) {
    other.tell(7, 7)
    announcer.tell(doneBytes, totalBytes)
  }
  await until(() => heard.includes(totalBytes))
  follower.end()
  expect(heard).toEqual(heard.toSorted((a, b) => a - b))
  expect(heard.length).toBeLessThan(10)
  expect(heard.length).toBeGreaterThan(2)
  expect(heard).not.toContain(7)
})
