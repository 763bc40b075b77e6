import { expect, it } from 'vitest'
import { createArtifactPolicy } from '../../runtime/model/artifact-policy.ts'

it.each([
  ['https://models.example/api', ['https://models.example'], ['models.example']],
  ['http://127.0.0.1:8000', ['http://127.0.0.1:8000'], ['127.0.0.1']],
  ['http://[::1]:8000', ['http://[::1]:8000'], ['[::1]']],
  ['http://localhost:8000/x', ['http://localhost:8000'], ['localhost']],
  ['http://models.example', [], ['models.example']],
  ['http://10.0.0.7:8000', [], ['10.0.0.7']],
])('lets artifacts of the backend %s come from itself, by http only on loopback', (url, origins, hosts) => {
  expect(createArtifactPolicy(url, [])).toEqual({ policy: { origins, hosts }, buckets: [] })
})

it('adds what the operator names', () => {
  const named = ['*.example.com', 'http://10.0.0.7:9000', 's3://models', 'S3://other/']
  expect(createArtifactPolicy(null, named)).toEqual({
    policy: { origins: ['http://10.0.0.7:9000'], hosts: ['*.example.com'] },
    buckets: ['models', 'other'],
  })
})
