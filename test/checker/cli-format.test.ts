import type { WriteStream } from 'node:tty'
import { describe, expect, it } from 'vitest'
import {
  about,
  aboutWalks,
  ansi,
  type CheckResult,
  checksSummary,
  checksTable,
  count,
  duration,
  estimatesTable,
  failureText,
  plain,
  progressText,
  replayLine,
  resultText,
  secondsLeft,
  shellWord,
  shortened,
  standingText,
  stepText,
  table,
  traceText,
} from '../../checker/format.ts'
import { select } from '../../checker/node-load.ts'
import { ProgressLine, paintFor } from '../../checker/node-terminal.ts'
import type { Progress, Report, TraceStep } from '../../checker/report.ts'

describe('numbers', () => {
  it('have their thousands apart', () => {
    expect([0, 12, 999, 1000, 1234567, -1000].map(count)).toEqual(['0', '12', '999', '1,000', '1,234,567', '-1,000'])
  })

  it('are rounded where only the size of them is known', () => {
    expect([0, 9999, 10_000, 1_234_567, 3.61e10, 5e15, 3.6e42, Number.POSITIVE_INFINITY].map((value) => about(value))).toEqual([
      '0',
      '9,999',
      '10.0 k',
      '1.23 M',
      '36.1 G',
      '5.00 P',
      '3.6e+42',
      'unknown',
    ])
    expect([99_949, 999_499, 999_500].map((value) => about(value))).toEqual(['99.9 k', '999 k', '1.00 M'])
  })

  it('of random walks come with their spread', () => {
    expect(aboutWalks({ executions: 1_234_567, spread: 310_000, walks: 10 })).toBe('~1.23 M (±310 k)')
    expect(aboutWalks({ executions: 24, spread: 0, walks: 10 })).toBe('~24')
  })

  it('of seconds are said as people say them', () => {
    expect([0.0123, 5.25, 59.96, 200, 18_180, 1e6, 1e20, Number.NaN].map(duration)).toEqual([
      '0.012 s',
      '5.3 s',
      '60.0 s',
      '3 min 20 s',
      '5 h 3 min',
      '12 days',
      'ages',
      'unknown',
    ])
  })
})

describe('a table', () => {
  it('aligns its columns and leaves no blanks at the end of a line', () => {
    const rows = [
      ['name', 'count', ''],
      ['a', '1', 'yes'],
      ['long', '1,000', ''],
    ]
    expect(table(rows, new Set([1]))).toBe('name  count\na         1  yes\nlong  1,000')
  })

  it('colours a cell after it was padded', () => {
    expect(
      table([
        [{ text: 'a', paint: ansi.red }, 'x'],
        ['bb', 'y'],
      ]),
    ).toBe('\u001b[31ma \u001b[39m  x\nbb  y')
  })
})

const trace: readonly TraceStep[] = [
  { thread: 'writer', operation: 'store', word: 4, value: 7, source: 'ring.ts:10' },
  { thread: 'reader', operation: 'load', word: 4, value: 7, from: 'writer #1', source: 'ring.ts:20' },
  { thread: 'reader', operation: 'compareExchange', word: 5, value: 0, wrote: 1, from: 'setup', source: 'ring.ts:21' },
  { thread: 'writer', operation: 'woken' },
]

describe('a trace', () => {
  it('says what each step did', () => {
    expect(trace.map(stepText)).toEqual([
      'store 4 <- 7',
      'load 4 = 7, from writer #1',
      'compareExchange 5: 0 -> 1, from setup',
      'woken',
    ])
  })

  it('has numbers, a column for each thread, and source lines at the right', () => {
    expect(traceText(trace)).toBe(
      [
        '    writer        reader',
        '#1  store 4 <- 7                                         ring.ts:10',
        '#2                load 4 = 7, from writer #1             ring.ts:20',
        '#3                compareExchange 5: 0 -> 1, from setup  ring.ts:21',
        '#4  woken',
      ].join('\n'),
    )
  })
})

const report: Report = { program: 'p', verdict: 'holds', executions: 1200, blocked: 3, discarded: 0, seconds: 0.5 }
const good: CheckResult = { file: 'specs/p/checks.ts', name: 'p', expect: { verdict: 'holds' }, met: true, report }
const failure = { kind: 'assertion', guarantee: 'p/right', message: 'wrong\nby far', schedule: 'x.a1b2', trace } as const
const refuted: Report = { ...report, verdict: 'refuted', failure }
const bad: CheckResult = { ...good, name: 'p', met: false, unmet: 'expected holds, but the search says refuted', report: refuted }
const mutant: CheckResult = {
  ...good,
  name: 'p:a store is dropped',
  mutant: { name: 'a store is dropped', guarantee: 'p/right' },
  expect: { verdict: 'refuted' },
  report: refuted,
}

describe('a run', () => {
  it('is a table of checks and a table of mutants', () => {
    expect(checksTable([good, mutant, bad]).split('\n')).toEqual([
      'check  verdict             executions  blocked  discarded  seconds  as expected',
      'p      holds                    1,200        3          0    0.500  yes',
      'p      refuted by p/right       1,200        3          0    0.500  no',
      '',
      'mutant              verdict             as expected  program',
      'a store is dropped  refuted by p/right  yes          p',
    ])
  })

  it('tells of each check that was not as expected', () => {
    expect(resultText({ ...good, met: false, unmet: 'expected 3 executions, found 2' })).toBe('p expected 3 executions, found 2')
    expect(resultText(bad).split('\n', 2)).toEqual(['p is refuted (assertion), breaks p/right', '  wrong'])
    const other = { ...mutant, met: false, unmet: 'expected p/left to be broken, found p/right' }
    expect(resultText(other).split('\n', 2)).toEqual([
      'p:a store is dropped expected p/left to be broken, found p/right',
      'p:a store is dropped is refuted (assertion), breaks p/right',
    ])
  })

  it('ends in a line that says whether all is well', () => {
    expect(checksSummary([good])).toBe('1 check, all as expected: 1,200 executions in 0.500 s')
    expect(checksSummary([good, bad])).toBe('2 checks, 1 not as expected: 2,400 executions in 1.0 s')
  })

  it('shows a failure with the line to paste', () => {
    const text = failureText(mutant.name, failure, replayLine(mutant, failure.schedule))
    expect(text.split('\n').slice(0, 4)).toEqual([
      'p:a store is dropped is refuted (assertion), breaks p/right',
      '  wrong',
      '  by far',
      '',
    ])
    expect(text.endsWith("\n\n  npx heddle replay specs/p/checks.ts x.a1b2 --only 'p:a store is dropped'")).toBe(true)
  })

  it('quotes what a shell would not leave alone', () => {
    expect(['specs/ring/checks.ts', 'a b', "it's", '', '$x'].map(shellWord)).toEqual([
      'specs/ring/checks.ts',
      "'a b'",
      "'it'\\''s'",
      "''",
      "'$x'",
    ])
  })

  it('says of an inconclusive check how far it came', () => {
    const inconclusive: CheckResult = {
      ...good,
      met: false,
      unmet: 'expected holds, but the search says inconclusive',
      report: { ...report, verdict: 'inconclusive', bound: 'seconds', covered: { share: 0.121, estimate: 36_100 } },
    }
    expect(resultText(inconclusive)).toBe(
      'p expected holds, but the search says inconclusive: its bound on seconds was hit after 12 % of ~36.1 k executions',
    )
    const cut: CheckResult = { ...inconclusive, report: { ...report, verdict: 'inconclusive', bound: 'events' } }
    expect(resultText(cut)).toMatch(/inconclusive: its bound on the events of a thread was hit$/)
  })
})

/** A quarter of the tree is done; then almost nothing of a large one. */
const quarter: Progress = { executions: 5000, seconds: 2, share: 0.25, estimate: 20_000 }
const begun: Progress = {
  ...quarter,
  share: 0.001,
  estimate: 1_234_567,
  sampled: { executions: 1_234_567, spread: 310_000, walks: 99 },
}

describe('progress', () => {
  it('tells the time left from the share that is done, or from random walks while that is little', () => {
    expect(secondsLeft(quarter)).toBe(6)
    expect(secondsLeft({ ...quarter, share: 1 })).toBe(0)
    expect(secondsLeft(begun)).toBeCloseTo((2 * (1_234_567 - 5000)) / 5000)
    // More were found than random walks foresaw, or none at all yet: nobody knows.
    expect(secondsLeft({ ...begun, estimate: 5000 })).toBeUndefined()
    expect(secondsLeft({ ...begun, executions: 0 })).toBeUndefined()
  })

  it('is a line with the most important things first', () => {
    expect(progressText('[2/9]', 'queue/two', quarter)).toBe(
      '[2/9] queue/two: 25 %, ~6.0 s left, 5,000 of ~20.0 k executions, 2,500/s',
    )
    expect(progressText('[2/9]', 'queue/two', begun)).toBe(
      '[2/9] queue/two: 0.10 %, ~8 min 11 s left, 5,000 of ~1.23 M (±310 k) executions, 2,500/s',
    )
    expect(progressText('[1/1]', 'p', { ...quarter, share: 1e-9, estimate: 5e12 })).toBe(
      '[1/1] p: <0.01 %, ~23,148 days left, 5,000 executions, 2,500/s',
    )
    expect(progressText('[1/1]', 'p', { executions: 0, seconds: 0, share: 0, estimate: 0 })).toBe('[1/1] p: 0 executions')
  })

  it('fits: a long name is shortened, then the end is left out', () => {
    const name = 'ring/push1-push-batch2-pop-batch/1w1r-cap2-wrap'
    expect(progressText('[2/9]', name, quarter, 79)).toBe(
      '[2/9] ring/push1-p…1r-cap2-wrap: 25 %, ~6.0 s left, 5,000 of ~20.0 k executions',
    )
    for (const columns of [30, 40, 60, 79, 100, 140]) {
      expect(progressText('[2/9]', name, begun, columns).length, `${columns}`).toBeLessThanOrEqual(Math.max(columns, 34))
    }
  })

  it('of what was interrupted is told in full', () => {
    expect(standingText({ executions: 0, seconds: 0, share: 0, estimate: 0 })).toBe('0 executions in 0.000 s')
    expect(standingText({ ...quarter, executions: 50_000 })).toBe('50,000 of ~20.0 k executions (25 %) in 2.0 s')
    expect(standingText(begun)).toBe('5,000 of ~1.23 M (±310 k) executions (0.10 %) in 2.0 s')
  })

  it('shortens a text in the middle', () => {
    expect(shortened('abcdefghij', 10)).toBe('abcdefghij')
    expect(shortened('abcdefghij', 6)).toBe('ab…hij')
  })
})

describe('a terminal that is narrow', () => {
  const name = 'ring/push1-push-batch2-pop-batch/1w1r-cap2-wrap'
  const long: CheckResult = { ...good, name }
  const sentence = 'the exchange of written changes places with what the writer does next'
  const results = [long, good, { ...mutant, mutant: { name: sentence, guarantee: 'p/right' } }]

  it.each([140, 120, 100, 80, 66])('of %i columns has tables that fit', (columns) => {
    const lines = checksTable(results, plain, columns).split('\n')
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns)
    expect(lines.filter((line) => line.includes('1,200') && line.endsWith('yes'))).toHaveLength(2)
  })

  it('does without what the search cost first', () => {
    expect(checksTable([long], plain, 110)).toBe(checksTable([long]))
    expect(checksTable([long], plain, 90).split('\n')).toEqual([
      `check${' '.repeat(44)}verdict  executions  seconds  as expected`,
      `${name}  holds         1,200    0.500  yes`,
    ])
    expect(checksTable([long], plain, 70).split('\n')[1]).toBe('ring/push1-pu…w1r-cap2-wrap  holds         1,200    0.500  yes')
  })
})

describe('estimates', () => {
  it('are a table that owns up to what it does not know', () => {
    const file = 'f'
    const results = [
      { file, name: 'p/one', estimate: { executions: 1_234_567, spread: 310_000, walks: 1000 } },
      { file, name: 'p/broken', estimate: { executions: 12, spread: 3.4, walks: 7 }, stopped: 'a walk met a failure' },
      { file, name: 'p/odd', estimate: { executions: 0, spread: 0, walks: 0 }, stopped: 'odd' },
    ]
    expect(estimatesTable(results).split('\n')).toEqual([
      'program   executions  spread  walks',
      'p/one        ~1.23 M  ±310 k  1,000',
      'p/broken         ~12      ±3      7  a walk met a failure',
      'p/odd        unknown              0  odd',
    ])
  })
})

describe('--only', () => {
  const found = ['ring/one', 'ring/one:torn', 'ring/one-two', 'queue.one'].map((name, index) => ({
    file: 'f',
    index,
    name,
    check: {} as never,
  }))
  const chosen = (only: string | undefined): string[] => select(found, only).map(({ name }) => name)

  it('takes the one of that name, or those that match, or those that have it inside', () => {
    expect(chosen(undefined)).toHaveLength(4)
    expect(chosen('ring/one')).toEqual(['ring/one'])
    expect(chosen('ring/*')).toEqual(['ring/one', 'ring/one:torn', 'ring/one-two'])
    expect(chosen('ring/one?t*')).toEqual(['ring/one:torn', 'ring/one-two'])
    expect(chosen('torn')).toEqual(['ring/one:torn'])
    expect(chosen('.')).toEqual(['queue.one'])
    expect(() => chosen('none')).toThrow('no check matches --only none')
  })
})

function stream(isTTY: boolean, columns = 20): { stream: WriteStream; written: string[] } {
  const written: string[] = []
  return { stream: { isTTY, columns, write: (text: string) => written.push(text) } as unknown as WriteStream, written }
}

describe('a terminal', () => {
  it('shows progress on one line, rewritten in place and cut to its width', () => {
    const { stream: terminal, written } = stream(true)
    const line = new ProgressLine(terminal)
    line.show('a line that is far too long for it')
    line.clear()
    line.clear()
    expect(written).toEqual(['\r\u001b[2Ka line that is far ', '\r\u001b[2K'])
  })

  it('is not there when a pipe is: silence', () => {
    const { stream: pipe, written } = stream(false)
    const line = new ProgressLine(pipe)
    line.show('progress')
    line.clear()
    expect(written).toEqual([])
  })

  it('is coloured unless somebody does not want it, a pipe only if somebody does', () => {
    const terminal = stream(true).stream
    const pipe = stream(false).stream
    expect(paintFor(terminal, {})).toBe(ansi)
    expect(paintFor(terminal, { TERM: 'dumb' })).toBe(plain)
    expect(paintFor(terminal, { NO_COLOR: '1' })).toBe(plain)
    expect(paintFor(terminal, { NO_COLOR: '' })).toBe(ansi)
    expect(paintFor(pipe, {})).toBe(plain)
    expect(paintFor(pipe, { FORCE_COLOR: '1' })).toBe(ansi)
    expect(paintFor(terminal, { FORCE_COLOR: '0' })).toBe(plain)
    expect(paintFor(pipe, { FORCE_COLOR: '1', NO_COLOR: '1' })).toBe(ansi)
  })
})
