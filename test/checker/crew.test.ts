import type { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { explore } from '../../checker/explore.ts'
import { Crew, type Explored, type Left } from '../../checker/node-crew.ts'
import type { SearchMessage } from '../../checker/node-search.ts'
import { startThread } from '../../checker/node-thread.ts'
import type { Report } from '../../checker/report.ts'
import { checks } from './fixtures/long.ts'

const files = ['test/checker/fixtures/long.ts']
const hire = (): Worker => startThread('./node-search', new URL('../../checker/node-crew.ts', import.meta.url).href)

/** Explores all checks of the file, with every thread from the start. */
async function exploreWith(workers: number, hire: () => Worker): Promise<Report[]> {
  const crew = new Crew({ files, only: undefined, workers, hire, aloneFor: 0 })
  const reports: Report[] = []
  try {
    for (const [index, check] of (await crew.checks).entries()) {
      reports.push((await crew.explore(index, check, { bounds: check.bounds })).report)
    }
  } finally {
    crew.close()
  }
  return reports
}

const alone = checks.map(({ program }) => explore(program))

function expectTheSame(reports: readonly Report[]): void {
  expect(reports.map(({ seconds: _, ...report }) => report)).toEqual(alone.map(({ seconds: _, ...report }) => report))
}

describe('a crew of threads', () => {
  it.each([1, 3])('of %i reports what one search reports: every count, and the first failure', async (workers) => {
    let hired = 0
    const reports = await exploreWith(workers, () => {
      hired++
      return hire()
    })
    expectTheSame(reports)
    expect(reports.map(({ executions }) => executions).toSpliced(1, 1)).toEqual([11_550, 34_650])
    expect(hired).toBe(workers)
  })

  it('loses nothing with threads that die at work, and counts nothing twice', async () => {
    let killed = 0
    const reports = await exploreWith(3, () => {
      const thread = hire()
      // Whoever has answered has been given the next order by then.
      thread.on('message', ({ kind }: SearchMessage) => {
        if (kind === 'answered' && killed < 4) {
          killed++
          setImmediate(() => void thread.terminate())
        }
      })
      return thread
    })
    expectTheSame(reports)
    expect(killed).toBe(4)
  })

  it('leaves what another crew goes on with, in the middle of whatever it does', async () => {
    const reports: Report[] = []
    let stopped = 0
    for (const [index, { bounds = {} }] of checks.entries()) {
      let left: Left | undefined
      for (let stops = 0; reports.length === index; ) {
        const crew = new Crew({ files, only: undefined, workers: 2, hire, aloneFor: 0 })
        const check = (await crew.checks)[index]
        const explored = await new Promise<Explored | undefined>((resolve) => {
          const save = (now: Left): void => {
            left = JSON.parse(JSON.stringify(now))
            if (stops < 2) resolve(undefined)
          }
          void crew.explore(index, check, { bounds, left, save, saveEvery: 5 }).then(resolve)
        })
        crew.close()
        stops++
        if (explored === undefined) stopped++
        else reports.push(explored.report)
      }
    }
    expectTheSame(reports)
    expect(stopped).toBeGreaterThan(2)
  })

  it('gives up when threads end again and again', async () => {
    const fleeting = (): Worker => {
      const thread = hire()
      void thread.terminate()
      return thread
    }
    await expect(exploreWith(1, fleeting)).rejects.toThrow('ended before their work was done')
  })
})
