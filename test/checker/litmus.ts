/** Litmus tests written as data (`litmus.json`; its `meta` says what each operation means), made into programs. */

import { readFileSync } from 'node:fs'
import type { Memory } from '../../core/memory.ts'
import type { Program } from '../../model/program.ts'

type Value = number | string
/** A number, a register, `$` for the value just read, or an operator with two operands. */
type Expression = number | string | readonly ['==' | '+', Expression, Expression]
type Registers = Record<string, Value>

type Instruction =
  | { readonly op: 'load'; readonly reg: string; readonly loc: string; readonly atomic: boolean }
  | { readonly op: 'store'; readonly loc: string; readonly val: Expression; readonly atomic: boolean }
  | { readonly op: 'rmw'; readonly fn: 'add' | 'exchange'; readonly reg: string; readonly loc: string; readonly val: number }
  | { readonly op: 'cas'; readonly reg: string; readonly loc: string; readonly exp: number; readonly new: number }
  | { readonly op: 'await'; readonly loc: string; readonly cond: Expression; readonly atomic: boolean }
  | { readonly op: 'if'; readonly cond: Expression; readonly then: Code; readonly else: Code }
  | { readonly op: 'wait'; readonly reg: string; readonly loc: string; readonly exp: number; readonly timeout: 'inf' | 'finite' }
  | { readonly op: 'notify'; readonly reg: string; readonly loc: string; readonly count: number | 'inf' }

type Code = readonly Instruction[]

/** What is seen in the end: registers, and `final:x` for a location that the test looks at; `!` in a deadlock. */
export type Outcome = Readonly<Record<string, Value>>

export interface Litmus {
  readonly name: string
  readonly source: string
  readonly note: string
  readonly locations: Readonly<Record<string, { readonly view: string; readonly byteOffset: number }>>
  readonly threads: readonly Code[]
  readonly final: readonly string[]
  readonly racy: boolean
  readonly deadlock_possible: boolean
  readonly allowed_sc: readonly Outcome[]
}

export const litmusTests: readonly Litmus[] = JSON.parse(readFileSync(new URL('litmus.json', import.meta.url), 'utf8')).tests

/** Any finite time: the checker lets it run out whenever it can. */
const SOME_TIME = 10

export function litmusProgram(test: Litmus): Program {
  return {
    name: test.name,
    words: Math.max(...Object.keys(test.locations).map((name) => wordOf(test, name))) + 1,
    threads: Object.fromEntries(test.threads.map((code, i) => [`thread${i}`, (memory: Memory) => interpret(test, code, memory)])),
  }
}

/** What one outcome of a report (canonical JSON of results and final words) says in the words of the test. */
export function litmusOutcome(test: Litmus, reported: string): Outcome {
  const { results, words } = JSON.parse(reported) as { results: Record<string, Outcome>; words: Record<string, number> }
  const final = test.final.map((name) => [`final:${name}`, words[wordOf(test, name)] ?? 0] as const)
  return Object.assign(Object.fromEntries(final), ...Object.values(results))
}

function wordOf(test: Litmus, location: string): number {
  const found = test.locations[location]
  if (found === undefined || found.view !== 'Int32Array' || found.byteOffset % 4 !== 0) {
    throw new Error(`${test.name}: ${location} is not an aligned 32-bit word`)
  }
  return found.byteOffset / 4
}

/** Runs one thread and returns its registers. */
function interpret(test: Litmus, code: Code, memory: Memory): Registers {
  const registers: Registers = {}
  const at = (location: string): number => wordOf(test, location)

  function value(expression: Expression, read?: number): number {
    if (typeof expression === 'number') return expression
    if (expression === '$' && read !== undefined) return read
    if (typeof expression === 'string') return registers[expression] as number
    const [operator, left, right] = expression
    const [a, b] = [value(left, read), value(right, read)]
    return operator === '+' ? a + b : Number(a === b)
  }

  function step(instruction: Instruction): void {
    switch (instruction.op) {
      case 'load': {
        const { reg, loc, atomic } = instruction
        registers[reg] = atomic ? memory.load(at(loc)) : memory.read(at(loc))
        return
      }
      case 'store': {
        const { loc, val, atomic } = instruction
        if (atomic) memory.store(at(loc), value(val))
        else memory.write(at(loc), value(val))
        return
      }
      case 'rmw': {
        const { fn, reg, loc, val } = instruction
        registers[reg] = fn === 'add' ? memory.add(at(loc), val) : memory.exchange(at(loc), val)
        return
      }
      case 'cas': {
        const { reg, loc, exp, new: replacement } = instruction
        registers[reg] = memory.compareExchange(at(loc), exp, replacement)
        return
      }
      case 'await': {
        const { loc, cond, atomic } = instruction
        while (value(cond, atomic ? memory.load(at(loc)) : memory.read(at(loc))) === 0) memory.pause()
        return
      }
      case 'if': {
        const { cond, then, else: otherwise } = instruction
        run(value(cond) === 0 ? otherwise : then)
        return
      }
      case 'wait': {
        const { reg, loc, exp, timeout } = instruction
        registers[reg] = memory.wait(at(loc), exp, timeout === 'finite' ? SOME_TIME : undefined)
        return
      }
      case 'notify': {
        const { reg, loc, count } = instruction
        registers[reg] = memory.notify(at(loc), count === 'inf' ? undefined : count)
      }
    }
  }

  function run(instructions: Code): void {
    for (const instruction of instructions) step(instruction)
  }

  run(code)
  return registers
}
