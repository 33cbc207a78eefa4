import { defineConfig, type ViteUserConfig } from 'vitest/config'
import { LongestFirst } from './test/sequencer.ts'

// Where `.ci/run` wants the results to be counted from.
const results = process.env.HEDDLE_TEST_RESULTS

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/seed.ts'],
    // Processes, not threads: a test that leaves a worker in `Atomics.wait` cannot hold up the others.
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    // Most tests take seconds. This ends one that hangs, also on a machine that is ten times slower.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    reporters: [
      'default',
      ...(results === undefined ? [] : [['json', { outputFile: results }] as ['json', { outputFile: string }]]),
      ...(process.env.GITHUB_ACTIONS === undefined ? [] : ['github-actions' as const]),
    ],
  },
})

export default config
