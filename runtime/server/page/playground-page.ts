import type { PlaygroundFiles } from './page-files.ts'

/**
 * What the playground may do: run its own script, module workers of this server and wasm, and call this server. It
 * shows pictures and sounds that were made or chosen in it. Nothing comes from or goes to anywhere else.
 */
export const playgroundPolicy: string = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "worker-src 'self'",
  "connect-src 'self'",
  "img-src 'self' blob: data:",
  'media-src blob: data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** What makes the page isolated from others, so that wasm may use threads, and holds it to its policy. */
const headers: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': playgroundPolicy,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cache-control': 'no-cache',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
}

/** Answers with the page of the playground, which is only a place for its script. */
export function playgroundReply({ script, styles }: PlaygroundFiles): Response {
  const sheet = styles === null ? '' : `\n<link rel="stylesheet" href="/-/browser/${styles}">`
  const page = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Playground</title><link rel="icon" href="data:,">${sheet}
<script type="module" src="/-/browser/${script}"></script></head>
<body><div id="playground"></div></body>
</html>
`
  return new Response(page, { headers: { ...headers } })
}
