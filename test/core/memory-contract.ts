import { describe, expect, it } from 'vitest'
import type { Memory } from '../../core/memory.ts'

/**
 * What every `Memory` must do, as vitest tests.
 *
 * A runner makes a memory of so many words, all zero, and calls the body with it, exactly once or several times, wherever
 * such a memory lives: directly for a real one, inside a thread or a setup for the simulated one. It throws what the body
 * throws. The body is synchronous and deterministic, and what it checks does not depend on other threads. It lets through
 * what an operation throws, unless it expects a `RangeError`; and it compares at its end, for it may be begun many times.
 */
export type MemoryRunner = (words: number, body: (memory: Memory) => void) => void

/** The runner of a memory that can simply be made. */
export function madeBy(make: (words: number) => Memory): MemoryRunner {
  return (words, body) => body(make(words))
}

/** Operands and what an `Int32Array` makes of them. */
const conversions: readonly (readonly [number, number])[] = [
  [0, 0],
  [-0, 0],
  [1, 1],
  [-1, -1],
  [2 ** 31 - 1, 2147483647],
  [2 ** 31, -2147483648],
  [2 ** 32 - 1, -1],
  [2 ** 32, 0],
  [2 ** 32 + 5, 5],
  [-(2 ** 31), -2147483648],
  [-(2 ** 31) - 1, 2147483647],
  [2 ** 53, 0],
  [2 ** 40 + 2 ** 20 + 3, 1048579],
  [1.5, 1],
  [-1.5, -1],
  [0.9, 0],
  [-2147483648.9, -2147483648],
  [1e300, 0],
  [Number.NaN, 0],
  [Infinity, 0],
  [-Infinity, 0],
]

type ReadModifyWrite = 'add' | 'sub' | 'and' | 'or' | 'xor' | 'exchange'

const readModifyWrites: Readonly<Record<ReadModifyWrite, (old: number, operand: number) => number>> = {
  add: (old, operand) => (old + operand) | 0,
  sub: (old, operand) => (old - operand) | 0,
  and: (old, operand) => old & operand,
  or: (old, operand) => old | operand,
  xor: (old, operand) => old ^ operand,
  exchange: (_, operand) => operand,
}
const readModifyWriteNames = Object.keys(readModifyWrites) as ReadModifyWrite[]

const words = 8
const badWords = [-1, words, words + 1, 1.5, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 53, Number.NaN, Infinity, -Infinity]

const oneWordOperations: Readonly<Record<string, (memory: Memory, word: number) => unknown>> = {
  load: (memory, word) => memory.load(word),
  store: (memory, word) => memory.store(word, 1),
  add: (memory, word) => memory.add(word, 1),
  sub: (memory, word) => memory.sub(word, 1),
  and: (memory, word) => memory.and(word, 1),
  or: (memory, word) => memory.or(word, 1),
  xor: (memory, word) => memory.xor(word, 1),
  exchange: (memory, word) => memory.exchange(word, 1),
  compareExchange: (memory, word) => memory.compareExchange(word, 0, 1),
  wait: (memory, word) => memory.wait(word, 1, 0),
  notify: (memory, word) => memory.notify(word),
  read: (memory, word) => memory.read(word),
  write: (memory, word) => memory.write(word, 1),
}

/** Registers the suite for one kind of memory. */
export function memoryContract(name: string, run: MemoryRunner): void {
  const check = (title: string, body: (memory: Memory) => void) => it(title, () => run(words, body))

  describe(`${name}: the contract of Memory`, () => {
    it('has the words asked for, all zero', () => {
      for (const count of [1, 2, 3, 100]) {
        run(count, (memory) => {
          expect(memory.words).toBe(count)
          const zeros = Array(count).fill(0)
          expect(zeros.map((_, word) => memory.load(word))).toEqual(zeros)
          expect(zeros.map((_, word) => memory.read(word))).toEqual(zeros)
        })
      }
    })

    describe('values', () => {
      check('load and read give what store and write left, and touch no neighbour', (memory) => {
        memory.store(3, 7)
        memory.write(4, -8)
        expect([2, 3, 4, 5].map((word) => memory.load(word))).toEqual([0, 7, -8, 0])
        expect([2, 3, 4, 5].map((word) => memory.read(word))).toEqual([0, 7, -8, 0])
      })

      check('store, write and exchange convert their operand as Int32Array does', (memory) => {
        const seen = conversions.map(([operand]) => {
          memory.store(0, operand)
          memory.write(1, operand)
          memory.exchange(2, operand)
          return { operand, left: [memory.load(0), memory.read(1), memory.load(2), new Int32Array([operand])[0]] }
        })
        const expected = conversions.map(([operand, converted]) => ({ operand, left: Array(4).fill(converted) }))
        expect(seen).toEqual(expected)
      })

      check('store and write return nothing', (memory) => {
        expect(memory.store(0, 5)).toBeUndefined()
        expect(memory.write(0, 5)).toBeUndefined()
      })

      for (const operation of readModifyWriteNames) {
        check(`${operation} returns the old value, leaves the new one, and converts its operand`, (memory) => {
          const seen: object[] = []
          const expected: object[] = []
          for (const old of [0, -1, 0x0f0f0f0f, -(2 ** 31)]) {
            for (const [operand, converted] of conversions) {
              memory.store(1, old)
              seen.push({ old, operand, answer: memory[operation](1, operand), left: memory.load(1) })
              expected.push({ old, operand, answer: old, left: readModifyWrites[operation](old, converted) })
            }
          }
          expect(seen).toEqual(expected)
          expect([memory.load(0), memory.load(2)]).toEqual([0, 0])
        })
      }

      check('add and sub wrap at 32 bits', (memory) => {
        memory.store(0, 2 ** 31 - 1)
        expect(memory.add(0, 1)).toBe(2147483647)
        expect(memory.sub(0, 1)).toBe(-2147483648)
        expect(memory.load(0)).toBe(2147483647)
      })

      check('compareExchange stores only over the expected value, and returns the old one', (memory) => {
        memory.store(0, 5)
        expect(memory.compareExchange(0, 5, 6)).toBe(5)
        expect(memory.load(0)).toBe(6)
        expect(memory.compareExchange(0, 5, 7)).toBe(6)
        expect(memory.load(0)).toBe(6)
        expect(memory.compareExchange(0, 6, 6)).toBe(6)
        expect(memory.load(0)).toBe(6)
      })

      check('compareExchange converts both operands', (memory) => {
        const seen = conversions.map(([operand, converted]) => {
          memory.store(0, converted)
          const answers = [memory.compareExchange(0, operand, 9), memory.load(0), memory.compareExchange(0, 9, operand)]
          return { operand, answers: [...answers, memory.load(0)] }
        })
        expect(seen).toEqual(conversions.map(([operand, converted]) => ({ operand, answers: [converted, 9, 9, converted] })))
      })

      check('atomic and plain operations see each other', (memory) => {
        memory.write(0, 3)
        expect(memory.add(0, 4)).toBe(3)
        expect(memory.read(0)).toBe(7)
        memory.store(0, 9)
        expect(memory.read(0)).toBe(9)
      })
    })

    describe('indices', () => {
      for (const [operation, call] of Object.entries(oneWordOperations)) {
        check(`${operation} throws a RangeError for every word that is not there, and changes nothing`, (memory) => {
          for (const word of badWords) expect(() => call(memory, word), String(word)).toThrow(RangeError)
          for (let word = 0; word < words; word++) expect(memory.load(word)).toBe(0)
        })

        check(`${operation} accepts the first and the last word`, (memory) => {
          call(memory, 0)
          call(memory, words - 1)
        })
      }

      check('readBytes, guessBytes and writeBytes throw a RangeError for every range that is not there', (memory) => {
        const bytes = 4 * words
        const ranges: readonly (readonly [number, number])[] = [
          [-1, 1],
          [-1, 0],
          [bytes, 1],
          [bytes - 1, 2],
          [bytes + 1, 0],
          [0, bytes + 1],
          [1.5, 1],
          [Number.NaN, 1],
          [Number.NaN, 0],
          [Infinity, 0],
          [-Infinity, 1],
          [2 ** 32, 1],
          [2 ** 53, 0],
        ]
        for (const [byte, length] of ranges) {
          const target = new Uint8Array(length).fill(7)
          expect(() => memory.readBytes(byte, target), `read ${length} from ${byte}`).toThrow(RangeError)
          expect(() => memory.guessBytes(byte, target), `guess ${length} from ${byte}`).toThrow(RangeError)
          expect(target.every((value) => value === 7)).toBe(true)
          expect(() => memory.writeBytes(byte, target), `write ${length} from ${byte}`).toThrow(RangeError)
        }
        for (let word = 0; word < words; word++) expect(memory.load(word)).toBe(0)
      })

      check('an empty range fits everywhere, also at the very end', (memory) => {
        const nothing = new Uint8Array(0)
        for (const byte of [0, 1, 4 * words]) {
          memory.readBytes(byte, nothing)
          memory.writeBytes(byte, nothing)
          memory.guessBytes(byte, nothing)
          memory.settle(true)
        }
      })
    })

    describe('bytes', () => {
      check('the lowest byte of a word comes first', (memory) => {
        memory.store(1, 0x04030201)
        memory.write(2, -2)
        const target = new Uint8Array(8)
        memory.readBytes(4, target)
        expect([...target]).toEqual([1, 2, 3, 4, 0xfe, 0xff, 0xff, 0xff])
        memory.writeBytes(8, Uint8Array.of(0xff, 0x00, 0x00, 0x80))
        expect(memory.load(2)).toBe(0x800000ff | 0)
        expect(memory.read(2)).toBe(0x800000ff | 0)
      })

      check('writeBytes changes the bytes of its range and no other', (memory) => {
        memory.store(1, -1)
        memory.store(2, -1)
        memory.writeBytes(6, Uint8Array.of(0x11, 0x22, 0x33))
        expect([memory.load(1) >>> 0, memory.load(2) >>> 0]).toEqual([0x2211ffff, 0xffffff33])
        expect([memory.load(0), memory.load(3)]).toEqual([0, 0])
      })

      it('copies any number of bytes from and to any offset', () => {
        const size = 200
        run(size / 4, (memory) => {
          const model = new Uint8Array(size)
          let next = 1
          const same = (a: Uint8Array, b: Uint8Array) => a.every((value, i) => value === b[i])
          const wrong: string[] = []
          for (const length of [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 23, 24, 25, 31, 32, 33, 48, 49, 64, 65, 100, 195]) {
            for (let byte = 0; byte < 5; byte++) {
              // A source and a target that begin in the middle of a word of their own buffer.
              const source = new Uint8Array(length + 3).subarray(3)
              for (let i = 0; i < length; i++) source[i] = next++ & 0xff
              memory.writeBytes(byte, source)
              model.set(source, byte)
              const whole = new Uint8Array(size)
              memory.readBytes(0, whole)
              const target = new Uint8Array(length + 5).subarray(1, length + 1)
              memory.readBytes(byte, target)
              if (!same(whole, model) || !same(target, source)) wrong.push(`${length} bytes at ${byte}`)
            }
          }
          expect(wrong).toEqual([])
        })
      })

      it('copies the same array again and again, as it is each time', () => {
        const size = 200
        run(size / 4, (memory) => {
          const model = new Uint8Array(size)
          let next = 1
          const wrong: string[] = []
          for (const length of [3, 4, 8, 28, 64, 128, 132]) {
            for (const start of [0, 1, 4]) {
              // An implementation may keep something of an array that comes again: the bytes around it show what that is.
              const source = new Uint8Array(length + 8).subarray(start, start + length)
              const around = new Uint8Array(length + 8)
              const target = around.subarray(start, start + length)
              const expected = new Uint8Array(length + 8)
              for (const byte of [0, 8, 3, 60]) {
                for (let i = 0; i < length; i++) source[i] = next++ & 0xff
                memory.writeBytes(byte, source)
                model.set(source, byte)
                memory.readBytes(byte, target)
                expected.set(source, start)
                const whole = new Uint8Array(size)
                memory.readBytes(0, whole)
                memory.readBytes(byte, target)
                memory.readBytes(byte, target)
                const same = whole.every((value, i) => value === model[i]) && around.every((value, i) => value === expected[i])
                if (!same) wrong.push(`${length} bytes, ${start} in their buffer, at ${byte}`)
              }
            }
          }
          expect(wrong).toEqual([])
        })
      })

      check('readBytes fills its target and no byte around it', (memory) => {
        memory.store(0, -1)
        const around = new Uint8Array(8)
        memory.readBytes(0, around.subarray(2, 5))
        expect([...around]).toEqual([0, 0, 255, 255, 255, 0, 0, 0])
      })

      check('copies are copies: later changes of either side do not show on the other', (memory) => {
        const source = Uint8Array.of(1, 2, 3, 4)
        memory.writeBytes(0, source)
        source.fill(9)
        const target = new Uint8Array(4)
        memory.readBytes(0, target)
        expect([...target]).toEqual([1, 2, 3, 4])
        memory.store(0, 0)
        expect([...target]).toEqual([1, 2, 3, 4])
      })
    })

    describe('guesses', () => {
      it('that are settled as valid are what was read, any number of bytes from any offset', () => {
        const size = 200
        run(size / 4, (memory) => {
          const wrong: string[] = []
          const model = Uint8Array.from({ length: size }, (_, i) => (7 * i + 1) & 0xff)
          memory.writeBytes(0, model)
          for (const length of [1, 2, 3, 4, 5, 8, 24, 33, 64, 129, 196]) {
            for (let byte = 0; byte < 4; byte++) {
              const around = new Uint8Array(length + 8)
              memory.guessBytes(byte, around.subarray(3, 3 + length))
              memory.settle(true)
              const expected = new Uint8Array(length + 8)
              expected.set(model.subarray(byte, byte + length), 3)
              if (around.some((value, i) => value !== expected[i])) wrong.push(`${length} bytes at ${byte}`)
            }
          }
          expect(wrong).toEqual([])
        })
      })

      check('are settled together, each as it was when it was made', (memory) => {
        const targets = [new Uint8Array(4), new Uint8Array(2), new Uint8Array(4)] as const
        memory.store(1, 0x04030201)
        memory.guessBytes(4, targets[0])
        memory.guessBytes(6, targets[1])
        memory.store(1, 9)
        memory.guessBytes(4, targets[2])
        memory.store(1, 0)
        memory.settle(true)
        expect(targets.map((target) => [...target])).toEqual([
          [1, 2, 3, 4],
          [3, 4],
          [9, 0, 0, 0],
        ])
      })

      check('touch no byte around their target, settled or not', (memory) => {
        memory.store(0, -1)
        const around = new Uint8Array(8)
        memory.guessBytes(0, around.subarray(2, 5))
        memory.settle(false)
        expect([0, 1, 5, 6, 7].map((i) => around[i])).toEqual([0, 0, 0, 0, 0])
      })

      check('are forgotten when they are not valid: settling again settles nothing', (memory) => {
        memory.store(0, 0x01010101)
        const target = new Uint8Array(4)
        memory.guessBytes(0, target)
        memory.settle(false)
        target.fill(7)
        memory.settle(true)
        memory.settle(true)
        expect([...target]).toEqual([7, 7, 7, 7])
      })
    })

    describe('waiting', () => {
      check('wait returns at once when the word holds another value', (memory) => {
        memory.store(1, 5)
        expect(memory.wait(1, 4)).toBe('not-equal')
        expect(memory.wait(1, 4, 1000)).toBe('not-equal')
        expect(memory.wait(1, 4, 0)).toBe('not-equal')
        expect(memory.wait(1, -5, Infinity)).toBe('not-equal')
      })

      check('wait times out when nobody notifies', (memory) => {
        memory.store(1, 5)
        expect(memory.wait(1, 5, 0)).toBe('timed-out')
        expect(memory.wait(1, 5, -1)).toBe('timed-out')
        expect(memory.wait(1, 5, 2)).toBe('timed-out')
        expect(memory.load(1)).toBe(5)
      })

      check('wait converts the expected value', (memory) => {
        const seen = conversions.map(([operand, converted]) => {
          memory.store(1, converted)
          const equal = memory.wait(1, operand, 0)
          memory.store(1, converted ^ 1)
          return { operand, equal, other: memory.wait(1, operand) }
        })
        expect(seen).toEqual(conversions.map(([operand]) => ({ operand, equal: 'timed-out', other: 'not-equal' })))
      })

      check('notify wakes nobody where nobody sleeps', (memory) => {
        expect(memory.notify(0)).toBe(0)
        expect(memory.notify(0, 0)).toBe(0)
        expect(memory.notify(0, 1)).toBe(0)
        expect(memory.notify(0, Infinity)).toBe(0)
        expect(memory.notify(words - 1)).toBe(0)
      })

      check('a notify is not kept for a later sleeper, and one whose time is over is gone', (memory) => {
        memory.notify(0)
        expect(memory.wait(0, 0, 1)).toBe('timed-out')
        expect(memory.notify(0)).toBe(0)
      })

      check('pause changes nothing and returns', (memory) => {
        for (let i = 0; i < 3; i++) {
          expect(memory.load(0)).toBe(0)
          expect(memory.pause()).toBeUndefined()
        }
      })

      check('now never goes back', (memory) => {
        let last = memory.now()
        expect(Number.isFinite(last)).toBe(true)
        for (let i = 0; i < 100; i++) {
          const now = memory.now()
          expect(now).toBeGreaterThanOrEqual(last)
          last = now
        }
      })
    })
  })
}
