import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPage } from '../playground/playground-scene.ts'
import { hasChromium, launchChromium } from '../support/chromium.ts'
import { makeExampleProject, startServer } from '../support/server.ts'
import { jobProcessesOf, makeJobsProject } from './jobs-project.ts'

describe.runIf(hasChromium)('the playground of a real server', { timeout: 120_000 }, () => {
  let browser: Browser

  beforeAll(async () => {
    browser = await launchChromium()
  })
  afterAll(() => browser?.close())

  it('submits a job and shows it to its end, although its process and its server are killed', async () => {
    await using project = await makeJobsProject()
    let server = await startServer(project)
    try {
      await using opened = await openPage(browser, `${server.url}/-/playground#/survey`)
      const { page, complaints, keep } = opened
      const overall = page.getByRole('progressbar', { name: 'Overall progress' })
      const stateOf = (step: string, state: string) =>
        page.locator(`.job-bars li.${state}`).filter({ hasText: step })
      await page.getByLabel('count').fill('60')
      await page.getByLabel('pauseMs').fill('12')
      await page.getByRole('button', { name: 'Submit job' }).click()
      await stateOf('sum', 'running').waitFor()
      for (const pid of jobProcessesOf(server)) process.kill(pid, 'SIGKILL')
      await stateOf('squares', 'running').waitFor()
      const port = new URL(server.url).port
      await server.end('SIGKILL')
      server = await startServer(project, 'dev', ['--port', port])
      await page.getByRole('region', { name: 'Result' }).getByText('73810', { exact: true }).waitFor()
      expect(Number(await overall.getAttribute('value'))).toBe(100)
      expect(await stateOf('', 'done').count()).toBe(4)
      expect(await page.locator('.job-files code').allTextContents()).toEqual(['numbers.json', 'report.csv'])
      await keep('job-real')
      // A browser says of each connection that breaks off that it did.
      expect(complaints.filter((text) => !/ERR_|Failed to load resource/.test(text))).toEqual([])
    } finally {
      await server[Symbol.asyncDispose]()
    }
  })

  it('shows what the example makes of its digits', async () => {
    await using project = await makeExampleProject()
    await using server = await startServer(project)
    await using opened = await openPage(browser, `${server.url}/-/playground#/evaluate-digits`)
    const { page, complaints, keep } = opened
    await page.getByLabel('count').fill('200')
    await page.getByRole('button', { name: 'Submit job' }).click()
    await page.getByRole('region', { name: 'Result' }).waitFor({ timeout: 60_000 })
    const picture = page.getByRole('img', { name: 'confusion.svg' })
    await expect
      .poll(() => picture.evaluate((image: HTMLImageElement) => image.naturalWidth))
      .toBeGreaterThan(100)
    await page.getByText(/\d+ of 200 right/).waitFor()
    await keep('job-evaluate-digits')
    expect(complaints).toEqual([])
  })
})
