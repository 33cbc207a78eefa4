/**
 * Small programs as trees of statements: so they shrink, run with their threads in any order, and print as code that can be
 * pasted into a test.
 */

import type { Memory } from '../../core/memory.ts'
import { type Faults, type Program, program } from '../../model/program.ts'

/** A constant, or the last value that the thread read plus a constant. */
export type Operand = number | { readonly lastPlus: number }

export type Modify = 'add' | 'sub' | 'and' | 'or' | 'xor' | 'exchange'

/** Tested on the last value read, or on those of the current round of a loop. */
export interface Condition {
  readonly which: 'last' | 'every' | 'some'
  readonly equals: number | string
  readonly not: boolean
}

export type Statement =
  | { readonly do: 'load' | 'read'; readonly word: number }
  | { readonly do: 'store' | 'write'; readonly word: number; readonly value: Operand }
  | { readonly do: Modify; readonly word: number; readonly value: Operand }
  | { readonly do: 'compareExchange'; readonly word: number; readonly expected: Operand; readonly replacement: Operand }
  | { readonly do: 'readBytes'; readonly byte: number; readonly length: number }
  | { readonly do: 'writeBytes'; readonly byte: number; readonly bytes: readonly number[] }
  | { readonly do: 'guess'; readonly byte: number; readonly length: number }
  | { readonly do: 'settle'; readonly valid: boolean }
  /** Reads the bytes of the last guess, settled or not. */
  | { readonly do: 'guessed' }
  | { readonly do: 'wait'; readonly word: number; readonly expected: number; readonly timeout: number | undefined }
  | { readonly do: 'notify'; readonly word: number; readonly count: number | undefined }
  /** Reads 1 if the thread of the sketch is alive, or if it is dead, and else 0. */
  | { readonly do: 'alive' | 'dead'; readonly thread: number }
  /** Reads which thread of the sketch this is. */
  | { readonly do: 'self' }
  | { readonly do: 'pause' }
  | { readonly do: 'fail' }
  | { readonly do: 'if'; readonly condition: Condition; readonly yes: Code; readonly no: Code }
  | { readonly do: 'repeat'; readonly times: number; readonly body: Code }
  /** Rounds of `body` until the condition holds after one, with a `pause` between them; at most `rounds`. */
  | { readonly do: 'spin'; readonly body: Code; readonly until: Condition; readonly rounds: number }
  | { readonly do: 'block'; readonly body: Code }

export type Code = readonly Statement[]

export interface SketchFaults {
  /** Threads of the sketch. */
  readonly kill: readonly number[]
  readonly kills: number
  readonly spurious: boolean
}

export interface Sketch {
  readonly words: number
  readonly setup: readonly { readonly word: number; readonly value: number }[]
  readonly threads: readonly Code[]
  readonly faults?: SketchFaults
}

/** The same statements, each of those without a body changed. */
export function mapCode(code: Code, change: (statement: Statement) => Statement): Code {
  return code.map((statement) => {
    switch (statement.do) {
      case 'if':
        return { ...statement, yes: mapCode(statement.yes, change), no: mapCode(statement.no, change) }
      case 'repeat':
      case 'spin':
      case 'block':
        return { ...statement, body: mapCode(statement.body, change) }
      default:
        return change(statement)
    }
  })
}

/** What a generated thread returns: everything that it read, and then what its guesses hold at its end. */
type Values = (number | string)[]

function valueIn(operand: Operand, values: Values): number {
  if (typeof operand === 'number') return operand
  const last = values.at(-1)
  return operand.lastPlus + (typeof last === 'number' ? last : 0)
}

function holds({ which, equals, not }: Condition, values: Values, since: number): boolean {
  const seen = which === 'last' ? values.slice(-1) : values.slice(since)
  const found = which === 'every' ? seen.every((value) => value === equals) : seen.some((value) => value === equals)
  return found !== not
}

interface Self {
  /** Which participant each thread of the sketch is. */
  readonly numbers: readonly number[]
  /** The targets of its guesses. */
  readonly guesses: Uint8Array[]
}

function livenessOf({ liveness }: Memory): NonNullable<Memory['liveness']> {
  if (liveness === undefined) throw new Error('a thread without liveness')
  return liveness
}

function run(code: Code, m: Memory, values: Values, self: Self): void {
  for (const statement of code) step(statement, m, values, self)
}

function step(statement: Statement, m: Memory, values: Values, self: Self): void {
  switch (statement.do) {
    case 'load':
    case 'read':
      values.push(m[statement.do](statement.word))
      break
    case 'store':
    case 'write':
      m[statement.do](statement.word, valueIn(statement.value, values))
      break
    case 'compareExchange': {
      const { word, expected, replacement } = statement
      values.push(m.compareExchange(word, valueIn(expected, values), valueIn(replacement, values)))
      break
    }
    case 'readBytes': {
      const bytes = new Uint8Array(statement.length)
      m.readBytes(statement.byte, bytes)
      values.push(...bytes)
      break
    }
    case 'writeBytes':
      m.writeBytes(statement.byte, Uint8Array.from(statement.bytes))
      break
    case 'guess': {
      const target = new Uint8Array(statement.length)
      m.guessBytes(statement.byte, target)
      self.guesses.push(target)
      break
    }
    case 'settle':
      m.settle(statement.valid)
      break
    case 'guessed':
      values.push(...(self.guesses.at(-1) ?? []))
      break
    case 'wait':
      values.push(m.wait(statement.word, statement.expected, statement.timeout))
      break
    case 'notify':
      values.push(m.notify(statement.word, statement.count))
      break
    case 'alive':
    case 'dead':
      values.push(livenessOf(m).alive(self.numbers[statement.thread]) === (statement.do === 'alive') ? 1 : 0)
      break
    case 'self':
      values.push(self.numbers.indexOf(livenessOf(m).self))
      break
    case 'pause':
      m.pause()
      break
    case 'fail':
      throw new Error('a generated failure')
    case 'if':
      run(holds(statement.condition, values, 0) ? statement.yes : statement.no, m, values, self)
      break
    case 'repeat':
      for (let i = 0; i < statement.times; i++) run(statement.body, m, values, self)
      break
    case 'spin':
      for (let i = 0; i < statement.rounds; i++) {
        const since = values.length
        run(statement.body, m, values, self)
        if (holds(statement.until, values, since)) break
        m.pause()
      }
      break
    case 'block':
      run(statement.body, m, values, self)
      break
    default:
      values.push(m[statement.do](statement.word, valueIn(statement.value, values)))
  }
}

/** The program of a sketch: threads `a`, `b` ..., listed in the given order. */
export function programOf(sketch: Sketch, order: readonly number[] = [...sketch.threads.keys()]): Program {
  const numbers = [...order.keys()].map((index) => order.indexOf(index))
  const threads = order.map((index) => [
    threadName(index),
    (memory: Memory): Values => {
      const values: Values = []
      const guesses: Uint8Array[] = []
      run(sketch.threads[index], memory, values, { numbers, guesses })
      return [...values, ...guesses.flatMap((target) => [...target])]
    },
  ])
  return program({
    name: 'generated',
    words: sketch.words,
    setup: (memory) => {
      for (const { word, value } of sketch.setup) memory.store(word, value)
    },
    threads: Object.fromEntries(threads),
    ...(sketch.faults !== undefined && { faults: faultsOf(sketch.faults) }),
  })
}

function faultsOf({ kill, kills, spurious }: SketchFaults): Faults<string> {
  return { ...(kill.length > 0 && { kill: kill.map(threadName), kills }), ...(spurious && { spurious }) }
}

function threadName(index: number): string {
  return 'abcdefgh'[index]
}

// Printing.

function printOperand(operand: Operand): string {
  if (typeof operand === 'number') return String(operand)
  return operand.lastPlus === 0 ? 'last(v)' : `last(v) + ${operand.lastPlus}`
}

function printCondition({ which, equals, not }: Condition, round: string): string {
  const value = JSON.stringify(equals)
  if (which === 'last') return `v.at(-1) ${not ? '!==' : '==='} ${value}`
  return `${not ? '!' : ''}${round}.${which}((x) => x === ${value})`
}

function printBlock(code: Code, indent: string): string {
  return code.map((statement) => printStatement(statement, indent)).join('')
}

function printStatement(statement: Statement, indent: string): string {
  const inner = `${indent}  `
  switch (statement.do) {
    case 'load':
    case 'read':
      return `${indent}v.push(m.${statement.do}(${statement.word}))\n`
    case 'store':
    case 'write':
      return `${indent}m.${statement.do}(${statement.word}, ${printOperand(statement.value)})\n`
    case 'compareExchange': {
      const { word, expected, replacement } = statement
      return `${indent}v.push(m.compareExchange(${word}, ${printOperand(expected)}, ${printOperand(replacement)}))\n`
    }
    case 'readBytes':
      return `${indent}v.push(...bytes(m, ${statement.byte}, ${statement.length}))\n`
    case 'writeBytes':
      return `${indent}m.writeBytes(${statement.byte}, Uint8Array.of(${statement.bytes.join(', ')}))\n`
    case 'guess':
      return `${indent}g.push(guess(m, ${statement.byte}, ${statement.length}))\n`
    case 'settle':
      return `${indent}m.settle(${statement.valid})\n`
    case 'guessed':
      return `${indent}v.push(...(g.at(-1) ?? []))\n`
    case 'wait': {
      const timeout = statement.timeout === undefined ? '' : `, ${statement.timeout}`
      return `${indent}v.push(m.wait(${statement.word}, ${statement.expected}${timeout}))\n`
    }
    case 'notify':
      return `${indent}v.push(m.notify(${statement.word}${statement.count === undefined ? '' : `, ${statement.count}`}))\n`
    case 'alive':
      return `${indent}v.push(m.liveness.alive(${statement.thread}) ? 1 : 0)\n`
    case 'dead':
      return `${indent}v.push(m.liveness.alive(${statement.thread}) ? 0 : 1)\n`
    case 'self':
      return `${indent}v.push(m.liveness.self)\n`
    case 'pause':
      return `${indent}m.pause()\n`
    case 'fail':
      return `${indent}throw new Error('a generated failure')\n`
    case 'if': {
      const otherwise = statement.no.length === 0 ? '' : ` else {\n${printBlock(statement.no, inner)}${indent}}`
      const condition = printCondition(statement.condition, 'v')
      return `${indent}if (${condition}) {\n${printBlock(statement.yes, inner)}${indent}}${otherwise}\n`
    }
    case 'repeat':
      return `${indent}for (let i = 0; i < ${statement.times}; i++) {\n${printBlock(statement.body, inner)}${indent}}\n`
    case 'spin': {
      const head = statement.rounds === Number.POSITIVE_INFINITY ? 'for (;;)' : `for (let i = 0; i < ${statement.rounds}; i++)`
      const { which } = statement.until
      const since = which === 'last' ? '' : `${inner}const s = v.length\n`
      const until = printCondition(statement.until, 'v.slice(s)')
      const body = `${since}${printBlock(statement.body, inner)}${inner}if (${until}) break\n${inner}m.pause()\n`
      return `${indent}${head} {\n${body}${indent}}\n`
    }
    case 'block':
      return printBlock(statement.body, indent)
    default:
      return `${indent}v.push(m.${statement.do}(${statement.word}, ${printOperand(statement.value)}))\n`
  }
}

/** An expression that, pasted, is the program of the sketch. */
export function print(sketch: Sketch): string {
  const threads = sketch.threads.map((code, index) => {
    const body = printBlock(code, '      ')
    const guesses = body.includes('g.')
    const [more, result] = guesses ? ['      const g = []\n', '[...v, ...g.flatMap((to) => [...to])]'] : ['', 'v']
    return `    ${threadName(index)}: (m) => {\n      const v = []\n${more}${body}      return ${result}\n    },\n`
  })
  const text = threads.join('')
  const setup = sketch.setup.map(({ word, value }) => `m.store(${word}, ${value})`).join(', ')
  const helpers = [
    text.includes('last(v)') ? "const last = (v) => (typeof v.at(-1) === 'number' ? v.at(-1) : 0)\n" : '',
    text.includes('guess(m') ? 'const guess = (m, b, n, to = new Uint8Array(n)) => (m.guessBytes(b, to), to)\n' : '',
    text.includes('bytes(m') ? 'const bytes = (m, b, n, to = new Uint8Array(n)) => (m.readBytes(b, to), to)\n' : '',
  ].join('')
  const fields = `  name: 'generated',\n  words: ${sketch.words},\n${setup === '' ? '' : `  setup: (m) => [${setup}],\n`}`
  const faulty = sketch.faults !== undefined && (sketch.faults.kill.length > 0 || sketch.faults.spurious)
  const faults = faulty ? `  faults: ${JSON.stringify(faultsOf(sketch.faults))},\n` : ''
  return `${helpers}program({\n${fields}  threads: {\n${text}  },\n${faults}})`
}
