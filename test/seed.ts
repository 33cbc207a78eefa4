/**
 * Which random programs and inputs a run of the tests takes: the same ones for the same commit, so that a run can be
 * repeated, and others for the next commit. `HEDDLE_SEED` sets it; outside a checkout it is the time.
 *
 * Loaded before each test file; fast-check's own properties follow it too.
 */

import { execFileSync } from 'node:child_process'
import { configureGlobal, readConfigureGlobal } from 'fast-check'

function ofCommit(): number | undefined {
  try {
    const commit = execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    return Number.parseInt(commit.slice(0, 7), 16)
  } catch {
    return undefined
  }
}

export const seed: number = Number(process.env.HEDDLE_SEED ?? ofCommit() ?? Date.now() % 2 ** 31)

configureGlobal({ ...readConfigureGlobal(), seed })
