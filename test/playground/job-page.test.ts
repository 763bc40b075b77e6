import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JobProgress } from '../../runtime/job/job.ts'
import { hasChromium, launchChromium } from '../support/chromium.ts'
import type { TestJob } from '../support/job-server.ts'
import { type JobPlayground, openJobs, startJobPlayground } from './job-scene.ts'

const category = (current: number, total: number, timeRemainingSeconds: number | null = null) => ({
  current,
  total,
  percent: (100 * current) / total,
  timeRemainingSeconds,
})

/** The progress of a job whose step `infer` has done so many of 500. */
const inferring = (current: number): JobProgress => ({
  overall: 10 + (80 * current) / 500,
  current: 'infer',
  categories: { fetch: category(1, 1), infer: category(current, 500, (500 - current) / 10) },
})

const chart = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 80" width="400" height="160">
<script>parent.document.title = 'stolen'; fetch('/stolen')</script>
<rect width="200" height="80" fill="#eef"/>
${[40, 66, 52, 71, 30].map((height, index) => `<rect x="${12 + index * 38}" y="${78 - height}" width="24" height="${height}" fill="#2450c4"/>`).join('')}
<image href="/stolen" onload="fetch('/stolen')"/></svg>`

const valueOfBar = (page: Page, label: string) =>
  page.getByRole('progressbar', { name: label, exact: true }).getAttribute('value').then(Number)

describe.runIf(hasChromium)('the jobs of the playground', { timeout: 120_000 }, () => {
  let scene: JobPlayground
  let browser: Browser

  beforeAll(async () => {
    scene = await startJobPlayground()
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser?.close()
    await scene?.[Symbol.asyncDispose]()
  })

  /** A job in the middle of its second step. */
  const startJob = (): TestJob => {
    const job = scene.desk.add({
      function: 'evaluate',
      state: 'running',
      attempt: 1,
      startedMs: Date.now(),
      steps: [{ name: 'fetch', state: 'done', endedMs: Date.now() }],
    })
    job.tell('state', { state: 'running', attempt: 1, error: null })
    job.tell('step', { step: 'fetch', state: 'done' })
    job.tell('message', { level: 'info', message: 'Fetched 500 digits.' })
    job.tell('step', { step: 'infer', state: 'started' })
    job.advance(inferring(50))
    return job
  }

  const succeed = (job: TestJob): void => {
    const endedMs = Date.now()
    const steps = ['fetch', 'infer', 'write'].map((name) => ({ name, state: 'done' as const, endedMs }))
    job.change({ steps })
    job.advance({ overall: 100, current: 'write' })
    job.end(
      { state: 'succeeded', expiresMs: endedMs + 86_400_000 },
      { value: { accuracy: 0.968, perDigit: [0.99, 0.98, 0.95, 0.97, 0.96, 0.94, 0.98, 0.97, 0.95, 0.98] } },
    )
  }

  it('are submitted from a form, followed to their end, and give what they made', async () => {
    const submitted = new Promise<{ job: TestJob; body: string }>((resolve) => {
      scene.desk.onSubmit = (job, body) => resolve({ job, body })
    })
    await using opened = await openJobs(browser, scene, '#/evaluate')
    const { page, complaints, keep } = opened
    const asked: string[] = []
    page.on('request', (request) => asked.push(request.url()))
    await page.getByText('action: runs as a job').waitFor()
    await page.getByLabel('count').fill('250')
    await keep('job-form')
    await page.getByRole('button', { name: 'Submit job' }).click()
    const { job, body } = await submitted
    expect(JSON.parse(body)).toEqual({ model: 'digits', count: 250 })
    await page.getByText(job.id).waitFor()
    expect(new URL(page.url()).hash).toBe(`#jobs/${job.id}`)
    job.change({
      state: 'running',
      startedMs: Date.now(),
      steps: [{ name: 'fetch', state: 'done', endedMs: 1 }],
    })
    job.tell('state', { state: 'running', attempt: 1, error: null })
    job.tell('step', { step: 'fetch', state: 'done' })
    job.tell('message', { level: 'success', message: 'Fetched 500 digits.' })
    job.tell('metrics', { category: 'infer', values: { loss: 0.123456789, batch: 32 } })
    job.change({ metrics: { infer: { loss: 0.123456789, batch: 32 } } })
    job.tell('log', { event: 'batch', data: { size: 32, device: 'cpu' } })
    job.tell('message', { level: 'warning', message: 'Two pictures are blank.' })
    job.advance(inferring(200))
    await expect.poll(() => valueOfBar(page, 'Overall progress')).toBe(42)
    await page.getByText(/running · 200 of 500 · 30 s left · weighs 80 %/).waitFor()
    expect(await valueOfBar(page, 'fetch')).toBe(100)
    expect(await valueOfBar(page, 'infer')).toBe(40)
    await keep('job-running')
    job.keep('confusion.svg', 'image/svg+xml', chart)
    job.keep('confusion.csv', 'text/csv', 'a,b\n1,2\n')
    succeed(job)
    await page.getByRole('region', { name: 'Result' }).getByText('0.968', { exact: true }).waitFor()
    await expect
      .poll(() =>
        page
          .getByRole('img', { name: 'confusion.svg' })
          .evaluate((img: HTMLImageElement) => img.naturalWidth),
      )
      .toBeGreaterThan(100)
    const download = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Save confusion.csv' }).click()
    expect((await download).suggestedFilename()).toBe('confusion.csv')
    expect(await page.title()).toBe('Jobs · isoplex playground')
    await keep('job-succeeded')
    expect(complaints).toEqual([])
    expect(asked.filter((url) => url.includes('stolen'))).toEqual([])
  })

  it('go on where they were after a reload in the middle, and bars never fall', async () => {
    const job = startJob()
    await using opened = await openJobs(browser, scene, `#jobs/${job.id}`)
    const { page, complaints } = opened
    await expect.poll(() => valueOfBar(page, 'Overall progress')).toBe(18)
    job.advance(inferring(300))
    await expect.poll(() => valueOfBar(page, 'Overall progress')).toBe(58)
    await page.evaluate(() => {
      const seen: number[] = []
      Object.assign(globalThis, { seen })
    })
    await page.addInitScript(() => {
      const seen: number[] = []
      Object.assign(globalThis, { seen })
      const look = (): void => {
        const bar = document.querySelector('progress[aria-label="Overall progress"]')
        if (bar instanceof HTMLProgressElement) seen.push(bar.value)
        requestAnimationFrame(look)
      }
      look()
    })
    await page.reload()
    await expect.poll(() => valueOfBar(page, 'Overall progress')).toBe(58)
    scene.desk.cutOff()
    job.advance(inferring(450))
    await expect.poll(() => valueOfBar(page, 'Overall progress')).toBe(82)
    succeed(job)
    await expect.poll(() => valueOfBar(page, 'Overall progress')).toBe(100)
    const seen = await page.evaluate(() => Reflect.get(globalThis, 'seen') as number[])
    expect(seen[0]).toBe(58)
    expect(seen.at(-1)).toBe(100)
    expect(seen).toEqual(seen.toSorted((left, right) => left - right))
    expect(complaints).toEqual([])
  })

  it('are listed, the newest first, with bars that move', async () => {
    const running = startJob()
    const failed = scene.desk.add({ function: 'evaluate' })
    failed.end({ state: 'failed', progress: inferring(100) })
    await using opened = await openJobs(browser, scene, '#/evaluate')
    const { page, complaints, keep } = opened
    await page.getByRole('link', { name: 'Jobs', exact: true }).click()
    const rows = page.locator('.jobs li')
    await expect.poll(() => rows.first().textContent()).toMatch(/evaluate.*failed/)
    expect(await rows.nth(1).textContent()).toMatch(/evaluate.*running/)
    const bar = `evaluate, ${running.id}`
    await expect.poll(() => valueOfBar(page, bar)).toBe(18)
    running.advance(inferring(400))
    await expect.poll(() => valueOfBar(page, bar)).toBe(74)
    await keep('jobs')
    await rows.nth(1).getByRole('link').click()
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.getByText('cancelling').waitFor()
    running.end({ state: 'cancelled', cancelRequested: true })
    await page.getByText('The job is cancelled.').waitFor()
    expect(await page.getByRole('button', { name: 'Cancel' }).count()).toBe(0)
    expect(complaints).toEqual([])
  })

  it('say why they failed, where, and what went wrong in the rollback', async () => {
    const job = startJob()
    const endedMs = Date.now()
    await using opened = await openJobs(browser, scene, `#jobs/${job.id}`, { dark: true })
    const { page, complaints, keep } = opened
    job.tell('message', { level: 'danger', message: 'The model has another input.' })
    job.change({
      steps: [
        { name: 'fetch', state: 'rolled-back', endedMs },
        { name: 'infer', state: 'failed', endedMs },
      ],
    })
    job.end({
      state: 'failed',
      error: {
        code: 'STEP_FAILED',
        message: 'The model has another input.',
        details: { step: 'infer' },
        step: 'infer',
        rollbackErrors: ['The folder stayed.'],
      },
    })
    const alert = page.getByRole('alert')
    await expect
      .poll(() => alert.textContent())
      .toBe('STEP_FAILED The model has another input.In the step infer.In the rollback: The folder stayed.')
    expect(await page.locator('.job-bars li').allTextContents()).toEqual([
      expect.stringContaining('rolled-back'),
      expect.stringContaining('failed'),
      expect.stringContaining('not-run'),
    ])
    await keep('job-failed-dark')
    expect(complaints).toEqual([])
  })

  it('fit a phone, and are used by keys', async () => {
    const job = startJob()
    await using opened = await openJobs(browser, scene, '#jobs', { width: 360, height: 740, dark: true })
    const { page, complaints, keep } = opened
    await page.locator('.jobs a').first().waitFor()
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360)
    await keep('jobs-phone')
    await page.locator('.jobs a').first().focus()
    await page.keyboard.press('Enter')
    await page.getByText(job.id).waitFor()
    job.keep('a-file-with-a-long-name-that-goes-on-and-on.csv', 'text/csv', 'a')
    const lines = Array.from({ length: 3_000 }, (_, index) => ({
      index,
      text: 'x'.repeat(index % 90),
      ok: true,
    }))
    job.change({ steps: [{ name: 'fetch', state: 'skipped', endedMs: 1 }] })
    job.end({ state: 'succeeded' }, { lines })
    await page.getByText('The first 200 of 3000.').waitFor()
    expect(await page.locator('.wide-table tbody tr').count()).toBe(200)
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360)
    await keep('job-phone')
    expect(complaints).toEqual([])
  })

  it('keep the page quick, however much they say, and nothing of it is markup', async () => {
    const job = startJob()
    const hostile = '<img src=x onerror="document.title=1"> \u202e\u0007'
    for (let count = 0; count < 5_000; count += 1) {
      job.tell('log', { event: `${hostile}${count}`, data: { text: 'y'.repeat(200) } })
    }
    job.tell('dropped', { count: 70_000 })
    job.tell('message', { level: 'info', message: `${hostile}${'z'.repeat(50_000)}` })
    job.tell('metrics', { category: hostile, values: { [hostile]: hostile, list: [1, { a: 2 }] } })
    job.advance({ overall: 900, categories: { [hostile]: category(-5, 0, -1), infer: category(9, 3, 1e9) } })
    await using opened = await openJobs(browser, scene, `#jobs/${job.id}`)
    const { page, complaints } = opened
    await page.getByText('5006 lines, the last 500 of them shown').waitFor()
    expect(await page.locator('.job-log li').count()).toBe(500)
    await page.getByText('70000 events were too many and are not kept').waitFor()
    expect(await valueOfBar(page, 'Overall progress')).toBe(100)
    expect(await page.locator('main img').count()).toBe(0)
    job.keep('no-picture.png', 'image/png', 'not a picture')
    await page.getByText('This is no picture.').waitFor()
    job.end({ state: 'cancelled' })
    await page.getByText('The job is cancelled.').waitFor()
    expect(complaints).toEqual([])
  })

  it('are asked for anew with a token, and not again and again without one', async () => {
    const job = scene.desk.add({ function: 'evaluate' })
    scene.desk.token = 'good-token'
    try {
      await using opened = await openJobs(browser, scene, '#jobs')
      const { page } = opened
      await page.getByText('Jobs are shown to whom a token stands for.').waitFor()
      const before = scene.desk.requests.length
      await page.getByLabel('Model token').pressSequentially('good-token')
      await page.locator(`.jobs a[href="#jobs/${job.id}"]`).waitFor()
      // Whatever the pace of the keys, that is once or a little more often.
      const tokens = scene.desk.requests
        .slice(before)
        .map(({ headers }) => headers.get('serve_multiplexed_model_id'))
      expect(tokens.at(-1)).toBe('good-token')
      expect(tokens.length).toBeLessThan(10)
    } finally {
      scene.desk.token = null
    }
  })

  it('that are not there are said to be', async () => {
    await using opened = await openJobs(browser, scene, '#jobs/job_nowhere')
    const { page } = opened
    await page.getByText('There is no job job_nowhere.').waitFor()
    await page.getByRole('link', { name: 'All jobs' }).click()
    await page.locator('.jobs a').first().waitFor()
  })
})
