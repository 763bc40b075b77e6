import { describe, expect, it } from 'vitest'
import { playgroundPolicy, playgroundReply } from '../../../runtime/server/page/playground-page.ts'

describe('the page of the playground', () => {
  it('runs no script but its own, and is isolated so that wasm may use threads', async () => {
    const reply = playgroundReply({ script: 'playground-a.js', styles: 'playground-b.css' })
    expect(Object.fromEntries(reply.headers)).toMatchObject({
      'content-security-policy': playgroundPolicy,
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'x-content-type-options': 'nosniff',
    })
    expect(playgroundPolicy).toMatch(
      /^default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self';/,
    )
    const text = await reply.text()
    expect(text).toContain('<script type="module" src="/-/browser/playground-a.js"></script>')
    expect(text).toContain('<link rel="stylesheet" href="/-/browser/playground-b.css">')
    expect(text).toContain('width=device-width')
    expect(text).not.toMatch(/style=|<style|<script>|https?:/)
  })

  it('loads no styles where there are none', async () => {
    expect(await playgroundReply({ script: 'a.js', styles: null }).text()).not.toContain('stylesheet')
  })
})
