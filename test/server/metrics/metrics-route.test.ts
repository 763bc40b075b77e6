import { describe, expect, it } from 'vitest'
import { IsoplexError } from '../../../runtime/error/error.ts'
import { createMetricsRoute, prefersOpenMetrics } from '../../../runtime/server/metrics/metrics-route.ts'
import { readMetrics, sourcesOf } from './metrics-sources.ts'

const openMetrics = 'application/openmetrics-text'

describe('the form of the metrics', () => {
  it.each([
    [null, false],
    ['*/*', false],
    ['text/plain', false],
    ['text/plain; version=0.0.4', false],
    [openMetrics, true],
    [`${openMetrics}; version=1.0.0; charset=utf-8`, true],
    [
      `${openMetrics};version=1.0.0;q=0.5,${openMetrics};version=0.0.1;q=0.4,text/plain;q=0.3,*/*;q=0.2`,
      true,
    ],
    [`${openMetrics};q=0.2, text/plain;q=0.9`, false],
    [`${openMetrics};q=0`, false],
    [`${openMetrics};q=nonsense`, false],
    ['Application/OpenMetrics-Text', true],
  ])('for Accept %j is OpenMetrics: %s', (accept, open) => {
    expect(prefersOpenMetrics(accept)).toBe(open)
  })

  it('is the text of Prometheus for whoever says nothing', async () => {
    using sources = sourcesOf()
    const { text, type } = await readMetrics(sources)
    expect(type).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(text).toMatch(/^# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total [\d.]+$/m)
    expect(text).not.toContain('# EOF')
  })

  it('is OpenMetrics for whoever prefers it', async () => {
    using sources = sourcesOf()
    const { text, type } = await readMetrics(sources, openMetrics)
    expect(type).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8')
    expect(text).toMatch(/^# TYPE process_cpu_seconds counter\nprocess_cpu_seconds_total [\d.]+$/m)
    expect(text).not.toMatch(/\n\n/)
    expect(text.endsWith('\n# EOF\n')).toBe(true)
  })

  it('stays what it is when both are asked for in turns', async () => {
    using sources = sourcesOf()
    sources.tallies.model('read', null).successes = 3
    const route = createMetricsRoute({ sources, admit: async () => undefined })
    const counter = /^isoplex_inference_request_success_total\{function="read"\} 3$/m
    for (const accept of ['*/*', openMetrics, '*/*', openMetrics]) {
      const request = new Request('http://localhost:3000/metrics', { headers: { accept } })
      expect(await (await route.handlers.GET?.({ request, parameters: [] }))?.text()).toMatch(counter)
    }
  })

  it.each(['*/*', openMetrics])('says of each metric once what it is: %s', async (accept) => {
    using sources = sourcesOf()
    const { text } = await readMetrics(sources, accept)
    const helped = [...text.matchAll(/^# HELP (\S+) (.+)$/gm)]
    const typed = [...text.matchAll(/^# TYPE (\S+) (counter|gauge|histogram)$/gm)]
    expect(helped.map(([, name]) => name)).toEqual(typed.map(([, name]) => name))
    expect(new Set(helped.map(([, name]) => name)).size).toBe(helped.length)
    for (const [, , help] of helped) expect(help).toMatch(/[^.]+\.$/)
    for (const [, name, type] of typed) {
      expect(name).toMatch(/^(?:isoplex|process)_[a-z_]+$/)
      if (accept === '*/*') expect(String(name).endsWith('_total')).toBe(type === 'counter')
    }
  })
})

it('refuses who may not read the metrics', async () => {
  using sources = sourcesOf()
  const admit = async (): Promise<never> => {
    throw new IsoplexError('ACCESS_REQUIRED', 'Send an access token.')
  }
  const route = createMetricsRoute({ sources, admit })
  const request = new Request('http://localhost:3000/metrics')
  await expect(route.handlers.GET?.({ request, parameters: [] })).rejects.toMatchObject({
    code: 'ACCESS_REQUIRED',
  })
})
