/** What the oracles say of kills, of liveness and of spurious wake-ups. */

import { describe, expect, it } from 'vitest'
import type { Memory } from '../../core/memory.ts'
import type { Faults, Program } from '../../model/program.ts'
import { faults } from '../programs/faults.ts'
import { type Body, threads, type Verdict, verdict } from './verdict.ts'

/** What is said of unnamed threads, the first of which may be killed. */
function mortal(bodies: readonly Body[], more: Faults<string> = {}): Verdict {
  return verdict({ ...threads(4, bodies), faults: { kill: ['t0'], ...more } })
}

function alive(m: Memory, participant: number): boolean {
  if (m.liveness === undefined) throw new Error('a thread has liveness')
  return m.liveness.alive(participant)
}

function awaitDeath(m: Memory, participant: number): void {
  while (alive(m, participant)) m.pause()
}

describe('executions are counted as theory counts them', () => {
  for (const { name, parameters, program, executions, source, sizes } of faults) {
    describe(`${name} (${parameters}); ${source}`, () => {
      it.each(sizes.map((size) => [size, executions(...size)] as const))('%j: %i', (size, expected) => {
        expect(verdict(program(...size))).toMatchObject({ executions: expected, failures: [] })
      })
    })
  }
})

describe('kills', () => {
  it('need to be allowed: without, everybody lives', () => {
    const { outcomes } = verdict(threads(1, [(m) => m.add(0, 1), (m) => alive(m, 0)]))
    expect(outcomes).toEqual(['{"results":{"t0":0,"t1":true},"words":{"0":1}}'])
  })

  it('take the result away, and leave what was written', () => {
    const { outcomes } = mortal([(m) => [m.store(0, 1), m.store(0, 2)]])
    expect(outcomes).toEqual([
      '{"results":{"t0":[null,null]},"words":{"0":2}}',
      '{"results":{},"words":{"0":1}}',
      '{"results":{},"words":{}}',
    ])
  })

  it('come before any kind of SeqCst operation, looking at oneself included', () => {
    const everything: Body = (m) => {
      m.load(0)
      m.store(0, 1)
      m.add(0, 1)
      m.compareExchange(0, 0, 1)
      m.wait(0, 0)
      m.notify(0)
      return alive(m, 0)
    }
    expect(mortal([everything])).toMatchObject({ executions: 8, failures: [] })
  })

  it('come neither before Unordered operations nor after the end', () => {
    expect(mortal([() => 1]).executions).toBe(1)
    expect(mortal([(m) => [m.read(0), m.load(0), m.read(0)]]).executions).toBe(2)
    expect(mortal([(m) => m.writeBytes(0, new Uint8Array(0))]).executions).toBe(1)
    // A plain write after the last operation, or instead of any, is torn by a kill after the end.
    expect(mortal([(m) => [m.load(0), m.write(0, 1)]])).toMatchObject({ executions: 3, torn: [0, 1, 2, 3] })
    expect(mortal([(m) => m.write(0, 1)])).toMatchObject({ executions: 2, torn: [0, 1, 2, 3] })
    expect(mortal([(m) => [m.write(0, 1), m.load(0)]])).toMatchObject({ executions: 2, torn: [0, 1, 2, 3] })
  })

  it('do not come to a sleeper, but after it was woken', () => {
    // Asleep before the notify: killed after it or not. Killed before the wait: the notify wakes nobody.
    const { executions, failures } = mortal([(m) => [m.wait(0, 0), m.load(1)], (m) => m.notify(0)])
    expect(failures).toEqual(['deadlock'])
    expect(executions).toBe(3)
    expect(mortal([(m) => m.wait(0, 0, 1)]).executions).toBe(2)
  })

  it('do not come to a thread that is parked, but before its iteration, and in the middle of it', () => {
    const spin: Body = (m) => {
      while (m.load(0) === 0) m.pause()
    }
    expect(mortal([spin, (m) => m.store(0, 1)]).executions).toBe(2)
    // Both loads see the stores; killed before the first; killed between them, the first having seen either.
    const spinOnTwo: Body = (m) => {
      while (m.load(0) + m.load(1) < 2) m.pause()
    }
    expect(mortal([spinOnTwo, (m) => m.store(0, 1), (m) => m.store(1, 1)])).toMatchObject({ executions: 4, failures: [] })
    // Nothing is before an iteration that is empty.
    const pauses: Body = (m) => {
      for (;;) m.pause()
    }
    expect(mortal([pauses])).toMatchObject({ executions: 0, failures: ['livelock'] })
  })

  it('need not happen: who waits for a death may wait for ever', () => {
    expect(mortal([(m) => m.store(0, 1), (m) => awaitDeath(m, 0)])).toMatchObject({ executions: 1, failures: ['livelock'] })
    expect(mortal([(m) => m.write(0, 1), (m) => awaitDeath(m, 0)])).toMatchObject({ executions: 1, failures: ['livelock'] })
  })

  it('leave others stuck', () => {
    const locked: Body = (m) => {
      while (m.compareExchange(0, 0, 1) !== 0) m.pause()
      m.store(0, 0)
    }
    expect(mortal([locked, locked]).failures).toEqual(['livelock'])
    expect(mortal([(m) => [m.store(0, 1), m.notify(0)], (m) => m.load(0) === 0 && m.wait(0, 0)]).failures).toEqual(['deadlock'])
  })

  it('of a thread that throws do not matter', () => {
    const throws: Body = (m) => {
      m.load(0)
      throw new Error('no')
    }
    expect(mortal([throws])).toMatchObject({ executions: 1, failures: ['thrown'] })
  })
})

describe('liveness', () => {
  it('numbers the threads as they are listed', () => {
    const selves: Program = threads(1, [(m) => m.liveness?.self, (m) => m.liveness?.self])
    expect(verdict(selves).outcomes).toEqual(['{"results":{"t0":0,"t1":1},"words":{}}'])
  })

  it.each([-1, 0.5, 2, Number.NaN])('refuses the participant %d', (participant) => {
    expect(verdict(threads(1, [(m) => alive(m, participant), () => 0])).failures).toEqual(['out-of-range'])
  })

  it('is nothing that setup has', () => {
    const seen: unknown[] = []
    verdict(threads(1, [() => 0], (m) => void seen.push(m.liveness)))
    expect(new Set(seen)).toEqual(new Set([undefined]))
  })

  it('orders all that the dead thread did before, of whatever order', () => {
    const victim: Body = (m) => [m.write(1, 5), m.load(0), m.load(0)]
    expect(mortal([victim, (m) => !alive(m, 0) && m.read(1)]).failures).toEqual(['data-race'])
    // It lived long enough to say so: its write is not torn.
    const careful: Body = (m) => !alive(m, 0) && m.load(0) === 1 && m.read(1)
    expect(mortal([(m) => [m.write(1, 5), m.store(0, 1), m.load(2)], careful]).failures).toEqual([])
    // Seeing that it lives orders nothing.
    expect(mortal([(m) => [m.write(1, 5), m.load(0)], (m) => alive(m, 0) && m.read(1)]).failures).toEqual(['data-race'])
  })

  it('hands on what the dead thread had learned', () => {
    const first: Body = (m) => [m.write(1, 5), m.store(0, 1)]
    const second: Body = (m) => [m.load(0), m.load(3)]
    const third: Body = (m) => !alive(m, 0) && m.load(2) === 0 && m.read(1)
    // Nothing tells the third whether the second had read the first.
    expect(mortal([second, first, third]).failures).toEqual(['data-race'])
    const telling: Body = (m) => {
      while (m.load(0) === 0) m.pause()
      m.load(3)
      return m.load(3)
    }
    const asking: Body = (m) => !alive(m, 0) && m.load(0) === 1 && m.read(1)
    expect(mortal([telling, first, asking]).failures).toEqual([])
  })
})

describe('torn bytes', () => {
  /** What comes of bytes 4 to 7, written Unordered by a thread that may be dead before its next operation. */
  function found(look: Body): readonly string[] {
    const survivor: Body = (m) => {
      awaitDeath(m, 0)
      if (m.load(2) === 0) look(m)
    }
    const { failures } = mortal([(m) => [m.write(1, 5), m.store(2, 1)], survivor])
    return failures.filter((kind) => kind !== 'livelock')
  }

  it('must not be read, in whatever way', () => {
    const looks: Body[] = [
      (m) => m.read(1),
      (m) => m.readBytes(7, new Uint8Array(1)),
      (m) => m.load(1),
      (m) => m.or(1, 0),
      (m) => m.exchange(1, 0),
      (m) => m.compareExchange(1, 9, 9),
      (m) => m.wait(1, 9),
    ]
    expect(looks.map(found)).toEqual(looks.map(() => ['data-race']))
  })

  it('may be overwritten, and then read', () => {
    expect(found((m) => [m.store(1, 0), m.load(1), m.read(1)])).toEqual([])
    expect(found((m) => [m.write(1, 0), m.add(1, 1), m.read(1)])).toEqual([])
    expect(found((m) => [m.writeBytes(5, Uint8Array.of(1, 2)), m.readBytes(5, new Uint8Array(2))])).toEqual([])
    expect(found((m) => [m.writeBytes(5, Uint8Array.of(1, 2)), m.readBytes(5, new Uint8Array(3))])).toEqual(['data-race'])
    expect(found((m) => [m.readBytes(3, new Uint8Array(1)), m.read(2), m.notify(1)])).toEqual([])
  })

  it('are those since the last SeqCst step, of whatever kind', () => {
    const steps: Body[] = [
      (m) => m.load(2),
      (m) => m.notify(2),
      (m) => m.wait(2, 5),
      (m) => m.compareExchange(2, 5, 5),
      (m) => alive(m, 1),
    ]
    for (const step of steps) {
      const victim: Body = (m) => {
        m.store(0, 1)
        m.write(1, 5)
        step(m)
        m.store(0, 2)
        m.write(3, 5)
      }
      const survivor: Body = (m) => (alive(m, 0) || m.load(0) < 2 ? undefined : [m.read(1), m.write(3, 1), m.read(3)])
      expect(mortal([victim, survivor]).failures).toEqual([])
    }
    const pausing: Body = (m) => {
      for (let i = 0; i < 2; i++) {
        m.write(1, 5)
        m.pause()
      }
      m.load(0)
    }
    expect(mortal([pausing]).torn).toEqual([4, 5, 6, 7])
  })

  it('are those before an iteration that was erased', () => {
    const victim: Body = (m) => {
      m.write(1, 5)
      while (m.load(0) === 0) m.pause()
    }
    const survivor: Body = (m) => [m.store(0, 0), m.store(0, 1)]
    expect(mortal([victim, survivor])).toMatchObject({ executions: 2, failures: [], torn: [4, 5, 6, 7] })
  })

  it('are torn again when the one who overwrote them is killed in turn', () => {
    const owner: Body = (m) => [m.write(1, 5), m.store(0, 1)]
    const heir = (again: boolean): Body => {
      return (m) => {
        if (alive(m, 0) || m.load(0) === 1) return
        m.write(1, 6)
        m.store(2, 1)
        if (again) m.write(1, 7)
      }
    }
    const reader: Body = (m) => !alive(m, 1) && m.load(2) === 1 && m.read(1)
    const both: Faults<string> = { kill: ['t0', 't1'], kills: 2 }
    expect(mortal([owner, heir(false), reader], both)).toMatchObject({ failures: [], torn: [4, 5, 6, 7] })
    expect(mortal([owner, heir(true), reader], both).failures).toEqual(['data-race'])
    const secondHeir: Body = (m) => !alive(m, 1) && m.load(2) === 1 && [m.write(1, 8), m.read(1)]
    expect(mortal([owner, heir(true), secondHeir], both).failures).toEqual([])
  })

  it('hold the written value as far as results and invariants go', () => {
    expect(mortal([(m) => [m.write(0, 5), m.liveness?.self]]).outcomes).toEqual([
      '{"results":{"t0":[null,0]},"words":{"0":5}}',
      '{"results":{},"words":{"0":5}}',
    ])
  })
})

describe('spurious wake-ups', () => {
  const spurious = (bodies: readonly Body[]): Verdict => verdict({ ...threads(2, bodies), faults: { spurious: true } })

  it('come once for each thread, and only where the word holds what is expected', () => {
    const { executions, failures } = spurious([(m) => m.wait(0, 0)])
    expect({ executions, failures }).toEqual({ executions: 1, failures: ['deadlock'] })
    expect(spurious([(m) => [m.wait(0, 0), m.wait(0, 0)]])).toMatchObject({ executions: 0, failures: ['deadlock'] })
    expect(spurious([(m) => m.wait(0, 1)])).toMatchObject({ executions: 1, failures: [] })
  })

  it('touch no list, and order nothing but as a read of the word', () => {
    // Woken; or at once, whatever the notify that finds nobody.
    expect(spurious([(m) => m.wait(0, 0, 1), (m) => m.notify(0)]).executions).toBe(4)
    const publish: Body = (m) => [m.write(1, 5), m.notify(0)]
    expect(spurious([(m) => m.wait(0, 0) === 'ok' && m.read(1), publish]).failures).toEqual(['data-race', 'deadlock'])
    const store: Body = (m) => [m.write(1, 5), m.store(0, 1)]
    expect(spurious([(m) => m.wait(0, 1, 1) === 'ok' && m.read(1), store]).failures).toEqual([])
  })

  it('end an iteration: they cannot come again and again', () => {
    const untilNotOk: Body = (m) => {
      while (m.wait(0, 0, 1) === 'ok') m.pause()
    }
    expect(spurious([untilNotOk])).toMatchObject({ executions: 2, failures: [] })
  })

  it('and kills', () => {
    const tested = threads(1, [(m) => m.wait(0, 0, 1)])
    // Killed, timed out, or back for no reason.
    expect(verdict({ ...tested, faults: { kill: ['t0'], spurious: true } }).executions).toBe(3)
  })
})
