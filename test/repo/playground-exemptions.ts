import type { Exemptions } from './mirror.ts'

const files = ['draft.ts', 'pen.ts', 'ink.ts', 'recorder.ts', 'caller.ts', 'catalog-fetch.ts']

/** Files of the playground that do nothing without a browser. */
export const playgroundExemptions: Exemptions = Object.fromEntries(
  files.map((file) => [
    `runtime/playground/${file}`,
    {
      provenBy: 'test/playground/page.test.ts',
      reason: 'What only a browser can do: tested by whoever uses the page.',
    },
  ]),
)
