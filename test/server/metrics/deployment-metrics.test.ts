import { expect, it } from 'vitest'
import { deploymentReportOf } from '../memory-deployments.ts'
import { readMetrics, sourcesOf } from './metrics-sources.ts'

it('tells of each deployment what it has and has to do', async () => {
  const facts = { replicas: { target: 3, running: 1 }, ongoing: 4, queued: 5 }
  using sources = sourcesOf({ deployments: [deploymentReportOf('fast', facts), deploymentReportOf('slow')] })
  const { values } = await readMetrics(sources)
  const of = (name: string) => values.get(`isoplex_deployment_${name}{deployment="fast"}`)
  expect(of('replica_target_count')).toBe(3)
  expect(of('replica_count')).toBe(1)
  expect(of('ongoing_request_count')).toBe(4)
  expect(of('queued_request_count')).toBe(5)
  expect(values.get('isoplex_deployment_queued_request_count{deployment="slow"}')).toBe(0)
})
