import { describe, expect, it } from 'vitest'
import { parseAmount, parseReplicas, parseResource } from '../../runtime/cli/deploy.ts'
import { makeProject } from '../support/server.ts'

describe('the flags of a deployment', () => {
  it('take replicas as a number or as bounds', () => {
    expect(parseReplicas('3')).toBe(3)
    expect(parseReplicas('1:4')).toEqual({ min: 1, max: 4 })
  })

  it.each(['0', '-1', '', '1:', '4:1', '0:2', '1.5', 'two', '1:2:3'])('refuse %j for replicas', (text) => {
    expect(() => parseReplicas(text)).toThrow(/number from 1 on/)
  })

  it('take amounts and resources', () => {
    expect(parseAmount('0.5')).toBe(0.5)
    expect(parseResource('a=b=2', { c: 1 })).toEqual({ 'a=b': 2, c: 1 })
  })

  it.each(['', '-1', 'x', 'NaN', 'Infinity'])('refuse %j for an amount', (text) => {
    expect(() => parseAmount(text)).toThrow(/number from 0 on/)
    expect(() => parseResource(`a=${text}`, {})).toThrow(/number from 0 on/)
  })

  it.each(['', '=1', 'a'])('refuse %j for a resource', (text) => {
    expect(() => parseResource(text, {})).toThrow(/a name and an amount/)
  })
})

describe('isoplex deploy', () => {
  it('says that nobody answers', async () => {
    await using project = await makeProject()
    const { code, stderr } = await project.run(
      'deploy',
      '--status',
      '--address',
      'http://127.0.0.1:1',
      '--json',
    )
    expect(code).toBe(1)
    expect(JSON.parse(stderr).error).toMatchObject({ code: 'CLUSTER_UNREACHABLE' })
  })
})
