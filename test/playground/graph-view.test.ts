import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeGraphProject } from '../e2e/graph-project.ts'
import { hasChromium, launchChromium } from '../support/chromium.ts'
import { startServer, type TestProject, type TestServer } from '../support/server.ts'
import { openPage } from './playground-scene.ts'

describe.runIf(hasChromium)('a graph on the playground', { timeout: 120_000 }, () => {
  let project: TestProject
  let server: TestServer
  let browser: Browser

  beforeAll(async () => {
    project = await makeGraphProject()
    server = await startServer(project, 'dev', ['--replicas', '1'])
    browser = await launchChromium()
  }, 120_000)
  afterAll(async () => {
    await browser?.close()
    await server?.[Symbol.asyncDispose]()
    await project?.[Symbol.asyncDispose]()
  })

  it('is drawn with its nodes, models and marks, and told as a list', async () => {
    await using opened = await openPage(browser, `${server.url}/-/playground#/sum`)
    const { page, complaints, keep } = opened
    await page.getByRole('img', { name: /^5 nodes/ }).waitFor()
    const drawing = page.getByRole('region', { name: 'Drawing of the graph' })
    const texts = await drawing.locator('text').allTextContents()
    expect(texts).toEqual(
      expect.arrayContaining(['input', 'add', 'ten', 'hundred', 'again', 'derive', 'answer']),
    )
    await page.getByText('As a list').press('Enter')
    await page.getByText('ten: calls add; with the model ten; after add').waitFor()
    await keep('graph-light')
    expect(complaints).toEqual([])
  })

  it('shows conditions and what runs for each item, in the dark as well', async () => {
    await using opened = await openPage(browser, `${server.url}/-/playground#/many`, { dark: true })
    const { page, complaints, keep } = opened
    const drawing = page.getByRole('region', { name: 'Drawing of the graph' })
    await drawing.getByText('for each, if so', { exact: true }).waitFor()
    expect(await drawing.locator('path.condition').count()).toBeGreaterThan(0)
    expect(await drawing.locator('path.items').count()).toBe(3)
    await keep('graph-dark')
    expect(complaints).toEqual([])
  })
})
