import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    // Bun starts threads and forks alike; threads are quicker and keep `process.execPath` Bun's.
    pool: 'threads',
    // Tests that start servers share their cores with others; what hangs is told all the same.
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
})
