import type { Exemptions } from './mirror.ts'

const jobFiles = ['job-watch.ts', 'job-list-watch.ts']
const files = ['draft.ts', 'pen.ts', 'ink.ts', 'recorder.ts', 'caller.ts', 'catalog-fetch.ts']

/** Files of the playground that do nothing without a browser. */
export const playgroundExemptions: Exemptions = {
  ...provenBy('test/playground/page.test.ts', files),
  ...provenBy('test/playground/job-page.test.ts', jobFiles),
}

function provenBy(test: string, names: readonly string[]): Exemptions {
  const reason = 'What only a browser can do: tested by whoever uses the page.'
  return Object.fromEntries(names.map((name) => [`runtime/playground/${name}`, { provenBy: test, reason }]))
}
