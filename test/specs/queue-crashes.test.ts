import { describe, expect, it } from 'vitest'
import { explore } from '../../checker/index.ts'
import { checks } from '../../specs/queue/checks.ts'
import { everyCrash } from '../oracle/every-crash.ts'

const slow = process.env.HEDDLE_SLOW === '1'
/** Two threads that go far before they meet: half a minute, and more. */
const takesLong = /beside-power/

describe('the recoveries of the queue', () => {
  const programs = checks
    .filter(
      ({ program, mutant }) => mutant === undefined && program.faults?.crash !== undefined && program.faults.kill === undefined,
    )
    .map(({ program }) => program)
    .filter(({ name }) => slow || !takesLong.test(name))

  it('are those of one thread and of two, after a kill and after a power failure', () => {
    const kinds = programs.map(({ threads, faults }) => `${Object.keys(threads).length} ${faults?.crash}`)
    expect([...new Set(kinds)].sort()).toEqual(['1 kill', '1 power', '2 kill', '2 power'])
  })

  it.each(programs.map((program) => [program.name, program] as const))(
    '%s: as many differ as the oracle finds',
    (_, program) => {
      const { verdict, recoveries } = explore(program)
      expect(verdict).toBe('holds')
      expect(recoveries).toBe(everyCrash(program).recoveries)
    },
    300_000,
  )
})
