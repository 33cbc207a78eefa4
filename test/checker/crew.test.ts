import type { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { explore } from '../../checker/explore.ts'
import type { Explored, Left } from '../../checker/node-agenda.ts'
import { Crew } from '../../checker/node-crew.ts'
import type { ExploreOrder, SearchJob, SearchMessage } from '../../checker/node-search.ts'
import { startThread } from '../../checker/node-thread.ts'
import type { Report } from '../../checker/report.ts'
import { checks } from './fixtures/long.ts'

const files = ['test/checker/fixtures/long.ts']
const hire = (): Worker => startThread('./node-search', new URL('../../checker/node-crew.ts', import.meta.url).href)

/** Explores all checks of the file side by side, with every thread from the start. */
async function exploreWith(workers: number, hire: () => Worker): Promise<Report[]> {
  const crew = new Crew({ files, only: undefined, workers, hire, aloneFor: 0 })
  try {
    const checks = await crew.checks
    const explored = checks.map((check, index) => crew.explore(index, check, { bounds: check.bounds }))
    const reports = (await Promise.all(explored)).map(({ report }) => report)
    expect(crew.standings.size).toBe(0)
    return reports
  } finally {
    crew.close()
  }
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
        if (kind === 'answered' && killed < 2) {
          killed++
          setImmediate(() => void thread.terminate())
        }
      })
      return thread
    })
    expectTheSame(reports)
    expect(killed).toBe(2)
  })

  it('leaves what another crew goes on with, in the middle of whatever it does', async () => {
    const reports: Report[] = []
    let stopped = 0
    for (const [index, { bounds = {} }] of checks.entries()) {
      let left: Left | undefined
      for (let stops = 0; reports.length === index; ) {
        const crew = new Crew({ files, only: undefined, workers: 2, hire, aloneFor: 0, saveEvery: 5 })
        const check = (await crew.checks)[index]
        const explored = await new Promise<Explored | undefined>((resolve) => {
          const save = (now: Left): void => {
            left = JSON.parse(JSON.stringify(now))
            if (stops < 2) resolve(undefined)
          }
          void crew.explore(index, check, { bounds, left, save }).then(resolve)
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

  it('gives one check to each as long as there are enough, and finds as many first executions as are allowed', async () => {
    let orders: ExploreOrder[] = []
    const told = (): Worker => {
      const thread = hire()
      const post = thread.postMessage.bind(thread)
      thread.postMessage = (message: SearchJob) => {
        if (message.kind === 'explore') orders = [...orders, message]
        post(message)
      }
      return thread
    }
    const crew = new Crew({ files, only: undefined, workers: 3, hire: told, aloneFor: 0 })
    const [adds, , more] = await crew.checks
    const bounds = { executions: 500 }
    const explored = [adds, more, adds].map((check, i) => crew.explore(i === 1 ? 2 : 0, check, { bounds }))
    const reports = (await Promise.all(explored)).map(({ report }) => report)
    crew.close()
    expect(reports).toMatchObject(Array(3).fill({ verdict: 'inconclusive', bound: 'executions', executions: 500 }))
    // Nobody was asked to share what only one can find.
    expect(orders.map(({ check }) => check)).toEqual([0, 2, 0])
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
