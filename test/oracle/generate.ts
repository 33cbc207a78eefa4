/**
 * Random small programs for the oracle and the explorer to disagree about.
 *
 * A program is a small tree of statements, so that it shrinks, and prints as code that can be pasted into a test.
 */

import * as fc from 'fast-check'
import type { Memory } from '../../core/memory.ts'
import { type Program, program } from '../../model/program.ts'

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
  | { readonly do: 'wait'; readonly word: number; readonly expected: number; readonly timeout: number | undefined }
  | { readonly do: 'notify'; readonly word: number; readonly count: number | undefined }
  | { readonly do: 'pause' }
  | { readonly do: 'fail' }
  | { readonly do: 'if'; readonly condition: Condition; readonly yes: Code; readonly no: Code }
  | { readonly do: 'repeat'; readonly times: number; readonly body: Code }
  /** Rounds of `body` until the condition holds after one, with a `pause` between them; at most `rounds`. */
  | { readonly do: 'spin'; readonly body: Code; readonly until: Condition; readonly rounds: number }
  | { readonly do: 'block'; readonly body: Code }

export type Code = readonly Statement[]

export interface Sketch {
  readonly words: number
  readonly setup: readonly { readonly word: number; readonly value: number }[]
  readonly threads: readonly Code[]
}

/** What a generated thread returns: everything that it read. */
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

function run(code: Code, m: Memory, values: Values): void {
  for (const statement of code) step(statement, m, values)
}

function step(statement: Statement, m: Memory, values: Values): void {
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
    case 'wait':
      values.push(m.wait(statement.word, statement.expected, statement.timeout))
      break
    case 'notify':
      values.push(m.notify(statement.word, statement.count))
      break
    case 'pause':
      m.pause()
      break
    case 'fail':
      throw new Error('a generated failure')
    case 'if':
      run(holds(statement.condition, values, 0) ? statement.yes : statement.no, m, values)
      break
    case 'repeat':
      for (let i = 0; i < statement.times; i++) run(statement.body, m, values)
      break
    case 'spin':
      for (let i = 0; i < statement.rounds; i++) {
        const since = values.length
        run(statement.body, m, values)
        if (holds(statement.until, values, since)) break
        m.pause()
      }
      break
    case 'block':
      run(statement.body, m, values)
      break
    default:
      values.push(m[statement.do](statement.word, valueIn(statement.value, values)))
  }
}

/** The program of a sketch: threads `a`, `b` ..., listed in the given order. */
export function programOf(sketch: Sketch, order: readonly number[] = [...sketch.threads.keys()]): Program {
  const threads = order.map((index) => [
    threadName(index),
    (memory: Memory): Values => {
      const values: Values = []
      run(sketch.threads[index], memory, values)
      return values
    },
  ])
  return program({
    name: 'generated',
    words: sketch.words,
    setup: (memory) => {
      for (const { word, value } of sketch.setup) memory.store(word, value)
    },
    threads: Object.fromEntries(threads),
  })
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
    case 'wait': {
      const timeout = statement.timeout === undefined ? '' : `, ${statement.timeout}`
      return `${indent}v.push(m.wait(${statement.word}, ${statement.expected}${timeout}))\n`
    }
    case 'notify':
      return `${indent}v.push(m.notify(${statement.word}${statement.count === undefined ? '' : `, ${statement.count}`}))\n`
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
    return `    ${threadName(index)}: (m) => {\n      const v = []\n${printBlock(code, '      ')}      return v\n    },\n`
  })
  const text = threads.join('')
  const setup = sketch.setup.map(({ word, value }) => `m.store(${word}, ${value})`).join(', ')
  const helpers = [
    text.includes('last(v)') ? "const last = (v) => (typeof v.at(-1) === 'number' ? v.at(-1) : 0)\n" : '',
    text.includes('bytes(m') ? 'const bytes = (m, b, n, to = new Uint8Array(n)) => (m.readBytes(b, to), to)\n' : '',
  ].join('')
  const fields = `  name: 'generated',\n  words: ${sketch.words},\n${setup === '' ? '' : `  setup: (m) => [${setup}],\n`}`
  return `${helpers}program({\n${fields}  threads: {\n${text}  },\n})`
}

// Generating.

/** What kinds of statement a program is made of. */
export type Profile = 'atomics' | 'pauses' | 'waits' | 'plain' | 'mixed'

export const profiles: readonly Profile[] = ['atomics', 'pauses', 'waits', 'plain', 'mixed']

type Arbitrary = fc.Arbitrary<Statement>
type Weighted = fc.WeightedArbitrary<Statement>

const forEver: number = Number.POSITIVE_INFINITY
/** Words 0 to 2 are for atomic operations; the others have one purpose each. */
const flag = 3
const data: readonly number[] = [4, 5]
const lock = 6
const tickets = 7
const words = 8

const atomicWord: fc.Arbitrary<number> = fc.oneof(
  { weight: 6, arbitrary: fc.constant(0) },
  { weight: 3, arbitrary: fc.constant(1) },
  { weight: 1, arbitrary: fc.constant(2) },
)
const small: fc.Arbitrary<number> = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 0, max: 2 }) },
  { weight: 1, arbitrary: fc.constantFrom(-1, 2 ** 31, 2 ** 32 + 1) },
)
const operand: fc.Arbitrary<Operand> = fc.oneof(
  { weight: 5, arbitrary: small },
  { weight: 1, arbitrary: fc.record({ lastPlus: fc.integer({ min: 0, max: 1 }) }) },
)
const condition: fc.Arbitrary<Condition> = fc.record({
  which: fc.oneof(
    { weight: 4, arbitrary: fc.constant('last' as const) },
    { weight: 1, arbitrary: fc.constantFrom('every' as const, 'some' as const) },
  ),
  equals: fc.integer({ min: 0, max: 2 }),
  not: fc.boolean(),
})
const last = (equals: number | string, not = false): Condition => ({ which: 'last', equals, not })

function loadOf(word: fc.Arbitrary<number>): Arbitrary {
  return fc.record({ do: fc.constant('load'), word })
}

function storeOf(word: fc.Arbitrary<number>): Arbitrary {
  return fc.record({ do: fc.constant('store'), word, value: operand })
}

const load: Arbitrary = loadOf(atomicWord)
const store: Arbitrary = storeOf(atomicWord)
const modify: Arbitrary = fc.record({
  do: fc.constantFrom<Modify[]>('add', 'exchange', 'sub', 'and', 'or', 'xor'),
  word: atomicWord,
  value: operand,
})
const compareExchange: Arbitrary = fc.record({
  do: fc.constant('compareExchange'),
  word: atomicWord,
  expected: operand,
  replacement: operand,
})
const atomic: readonly Weighted[] = [
  { weight: 4, arbitrary: load },
  { weight: 4, arbitrary: store },
  { weight: 3, arbitrary: modify },
  { weight: 2, arbitrary: compareExchange },
]

/** Branches and bounded loops over the given statements. */
function structured(statements: readonly Weighted[]): Arbitrary {
  const simple = fc.oneof(...statements)
  const code = fc.array(simple, { minLength: 1, maxLength: 2, size: 'max' })
  const otherwise = fc.array(simple, { maxLength: 1, size: 'max' })
  return fc.oneof(
    { weight: 12, arbitrary: simple },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('if'), condition, yes: code, no: otherwise }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('repeat'), times: fc.constant(2), body: code }) },
  )
}

// Loops with pauses.

function spin(body: fc.Arbitrary<Code>, until: fc.Arbitrary<Condition>): Arbitrary {
  const rounds = fc.oneof(
    { weight: 4, arbitrary: fc.constant(forEver) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 3 }) },
  )
  return fc.record({ do: fc.constant('spin'), body, until, rounds })
}

const one = (statement: Arbitrary): fc.Arbitrary<Code> => fc.tuple(statement)
const awaitWord: Arbitrary = spin(one(load), condition)
const awaitWords: Arbitrary = spin(fc.array(load, { minLength: 2, maxLength: 3, size: 'max' }), condition)
const awaitExchange: Arbitrary = spin(one(compareExchange), condition)
const awaitAnything: Arbitrary = spin(
  fc.array(
    fc.oneof(
      { weight: 4, arbitrary: load },
      { weight: 2, arbitrary: compareExchange },
      { weight: 1, arbitrary: store },
      { weight: 1, arbitrary: modify },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('notify'), word: atomicWord, count: fc.constant(undefined) }) },
      {
        weight: 1,
        arbitrary: fc.record({ do: fc.constant('wait'), word: atomicWord, expected: small, timeout: fc.constant(0) }),
      },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('if'), condition, yes: one(load), no: one(store) }) },
      { weight: 1, arbitrary: fc.constant<Statement>({ do: 'pause' }) },
    ),
    { minLength: 0, maxLength: 3, size: 'max' },
  ),
  condition,
)
const pause: Arbitrary = fc.constant({ do: 'pause' })

/** `body` under a spin lock. */
function locked(body: fc.Arbitrary<Code>): Arbitrary {
  return body.map((inside) => ({
    do: 'block',
    body: [
      {
        do: 'spin',
        body: [{ do: 'compareExchange', word: lock, expected: 0, replacement: 1 }],
        until: last(0),
        rounds: forEver,
      },
      ...inside,
      { do: 'store', word: lock, value: 0 },
    ],
  }))
}

/** Words that signals go to: mostly raised, never lowered, so that those who await them get to their end. */
const signalWord: fc.Arbitrary<number> = fc.constantFrom(1, 2)
const signal: Arbitrary = fc.oneof(
  fc.record({ do: fc.constant('store'), word: signalWord, value: fc.constantFrom(1, 2) }),
  fc.record({ do: fc.constant('add'), word: signalWord, value: fc.constant(1) }),
)
const awaitSignal: Arbitrary = spin(one(loadOf(signalWord)), fc.constant(last(0, true)))
const awaitSignals: Arbitrary = spin(
  fc.array(loadOf(fc.constantFrom(0, 1, 2, 2)), { minLength: 2, maxLength: 3, size: 'max' }),
  fc.constantFrom(last(0, true), { which: 'some', equals: 0, not: true }, { which: 'every', equals: 0, not: true }),
)

const pauses: readonly Weighted[] = [
  { weight: 8, arbitrary: awaitSignal },
  { weight: 5, arbitrary: awaitSignals },
  { weight: 6, arbitrary: signal },
  { weight: 4, arbitrary: locked(one(fc.oneof(load, store, modify))) },
  { weight: 2, arbitrary: awaitWord },
  { weight: 1, arbitrary: awaitWords },
  { weight: 1, arbitrary: awaitExchange },
  { weight: 2, arbitrary: awaitAnything },
  { weight: 1, arbitrary: pause },
]

// Waits.

const timeout: fc.Arbitrary<number | undefined> = fc.oneof(
  { weight: 5, arbitrary: fc.constant(undefined) },
  { weight: 3, arbitrary: fc.constantFrom(1, 0, -1) },
  { weight: 1, arbitrary: fc.constantFrom(forEver, Number.NaN) },
)
const count: fc.Arbitrary<number | undefined> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(undefined) },
  { weight: 4, arbitrary: fc.constantFrom(1, 1, 2) },
  { weight: 1, arbitrary: fc.constantFrom(0, forEver) },
)
const waitWord: fc.Arbitrary<number> = fc.oneof(
  { weight: 5, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.constant(1) },
)
const expected: fc.Arbitrary<number> = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: small })
const wait: Arbitrary = fc.record({ do: fc.constant('wait'), word: waitWord, expected, timeout })
const notify: Arbitrary = fc.record({ do: fc.constant('notify'), word: waitWord, count })
/** `while (load(w) === x) wait(w, x)`, in two rounds at most, or for ever with a pause. */
const waitLoop: Arbitrary = fc
  .record({ word: waitWord, expected: fc.constantFrom(0, 0, 0, 1), timeout, rounds: fc.constantFrom(2, forEver) })
  .map(({ word, expected, timeout, rounds }) => ({
    do: 'spin',
    body: [
      { do: 'load', word },
      { do: 'if', condition: last(expected), yes: [{ do: 'wait', word, expected, timeout }], no: [] },
      { do: 'load', word },
    ],
    until: last(expected, true),
    rounds,
  }))
const storeAndNotify: Arbitrary = fc
  .record({ word: waitWord, value: fc.constantFrom(1, 1, 2), count })
  .map(({ word, value, count }) => ({
    do: 'block',
    body: [
      { do: 'store', word, value },
      { do: 'notify', word, count },
    ],
  }))
const notifyLoop: Arbitrary = fc.record({ word: waitWord, count }).map(({ word, count }) => ({
  do: 'spin',
  body: [{ do: 'notify', word, count }],
  until: last(0, true),
  rounds: forEver,
}))
const waits: readonly Weighted[] = [
  { weight: 8, arbitrary: wait },
  { weight: 6, arbitrary: notify },
  { weight: 3, arbitrary: waitLoop },
  { weight: 4, arbitrary: storeAndNotify },
  { weight: 2, arbitrary: notifyLoop },
]

// Plain data.

const dataWord: fc.Arbitrary<number> = fc.constantFrom(...data)
const read: Arbitrary = fc.record({ do: fc.constant('read'), word: dataWord })
const write: Arbitrary = fc.record({ do: fc.constant('write'), word: dataWord, value: operand })
const firstByte: fc.Arbitrary<number> = fc.integer({ min: 4 * data[0], max: 4 * data[1] })
const readBytes: Arbitrary = fc.record({ do: fc.constant('readBytes'), byte: firstByte, length: fc.integer({ min: 0, max: 4 }) })
const writeBytes: Arbitrary = fc.record({
  do: fc.constant('writeBytes'),
  byte: firstByte,
  bytes: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 0, maxLength: 4, size: 'max' }),
})
const access: Arbitrary = fc.oneof(
  { weight: 4, arbitrary: read },
  { weight: 4, arbitrary: write },
  { weight: 1, arbitrary: readBytes },
  { weight: 1, arbitrary: writeBytes },
)
const accesses: fc.Arbitrary<Code> = fc.array(access, { minLength: 1, maxLength: 2, size: 'max' })
const block = (body: Code): Statement => ({ do: 'block', body })
/** Writes, and raises the flag: by a store, or by a read-modify-write that hands on what it read. */
const publish: Arbitrary = fc
  .tuple(accesses, fc.constantFrom<Statement[]>({ do: 'store', word: flag, value: 1 }, { do: 'or', word: flag, value: 1 }))
  .map(([body, raise]) => block([...body, raise]))
/** Looks at the data once the flag is raised: if it is, or waiting until it is. */
const consume: Arbitrary = fc.tuple(accesses, fc.constantFrom('if', 'spin')).map(([body, how]) => {
  const look: Statement = { do: 'load', word: flag }
  if (how === 'if') return block([look, { do: 'if', condition: last(1), yes: body, no: [] }])
  return block([{ do: 'spin', body: [look], until: last(1), rounds: forEver }, ...body])
})
/** Only who takes the ticket first looks at the data. */
const ticket: Arbitrary = accesses.map((body) =>
  block([
    { do: 'add', word: tickets, value: 1 },
    { do: 'if', condition: last(0), yes: body, no: [] },
  ]),
)
/** Looks at plain data in every iteration. */
const awaitData: Arbitrary = spin(
  fc.tuple(loadOf(fc.constantFrom(0, flag)), fc.oneof(read, readBytes)).map(([look, other]) => [other, look]),
  fc.constantFrom(last(1), last(0, true)),
)
const lookWhileWaiting: Arbitrary = fc.record({ word: fc.constantFrom(0, flag), data: dataWord }).map(({ word, data }) => ({
  do: 'spin',
  body: [
    { do: 'load', word },
    { do: 'if', condition: last(0), yes: [{ do: 'read', word: data }], no: [] },
    { do: 'load', word },
  ],
  until: last(1),
  rounds: forEver,
}))
const disciplined: readonly Weighted[] = [
  { weight: 4, arbitrary: publish },
  { weight: 4, arbitrary: consume },
  { weight: 3, arbitrary: locked(accesses) },
  { weight: 1, arbitrary: ticket },
]
const wild: readonly Weighted[] = [
  { weight: 3, arbitrary: access },
  { weight: 1, arbitrary: awaitData },
  { weight: 1, arbitrary: lookWhileWaiting },
  { weight: 1, arbitrary: loadOf(dataWord) },
  { weight: 1, arbitrary: storeOf(dataWord) },
  { weight: 1, arbitrary: storeOf(fc.constant(flag)) },
]
/** The second thread sleeps until the first wrote. */
const handOver: Arbitrary = fc.tuple(accesses, fc.constantFrom('wake', 'sleep')).map(([body, role]) => {
  if (role === 'wake') return block([...body, { do: 'notify', word: 0, count: undefined }])
  const sleep: Statement = { do: 'wait', word: 0, expected: 0, timeout: undefined }
  return block([sleep, { do: 'if', condition: last('ok'), yes: body, no: [] }])
})
const failing: Arbitrary = condition.map((condition) => ({ do: 'if', condition, yes: [{ do: 'fail' }], no: [] }))

/** The same statements, all less or more often. */
function scaled(factor: number, statements: readonly Weighted[]): Weighted[] {
  return statements.map(({ weight, arbitrary }) => ({ weight: weight * factor, arbitrary }))
}

const statementsOf: { readonly [P in Profile]: () => Arbitrary } = {
  atomics: () => structured(atomic),
  pauses: () => structured([...scaled(2, atomic), ...scaled(1, pauses)]),
  waits: () => structured([...scaled(1, atomic), ...scaled(1, waits)]),
  plain: () => structured([...scaled(2, atomic), ...scaled(5, disciplined), ...scaled(4, wild)]),
  mixed: () =>
    structured([
      ...scaled(6, atomic),
      ...scaled(2, pauses),
      ...scaled(2, waits),
      ...scaled(3, disciplined),
      ...scaled(4, wild),
      { weight: 3, arbitrary: handOver },
      { weight: 3, arbitrary: failing },
    ]),
}

/** What lets those go on who wait: most programs would hang without. */
const helpersOf: { readonly [P in Profile]: readonly Statement[] } = {
  atomics: [],
  pauses: [
    { do: 'store', word: 1, value: 1 },
    { do: 'add', word: 2, value: 1 },
  ],
  waits: [
    block([
      { do: 'store', word: 0, value: 1 },
      { do: 'notify', word: 0, count: undefined },
    ]),
    { do: 'notify', word: 1, count: undefined },
  ],
  plain: [{ do: 'store', word: flag, value: 1 }],
  mixed: [
    { do: 'store', word: 1, value: 1 },
    { do: 'add', word: 2, value: 1 },
    { do: 'notify', word: 0, count: undefined },
    { do: 'store', word: flag, value: 1 },
  ],
}

/** A few statements from the list, each to go to the front or the back of some thread. */
function helpers(statements: readonly Statement[]): fc.Arbitrary<readonly { front: boolean; thread: number; code: Code }[]> {
  const helper = (statement: Statement): fc.Arbitrary<{ front: boolean; thread: number; code: Code }> =>
    fc.record({
      front: fc.boolean(),
      thread: fc.integer({ min: 0, max: 3 }),
      code: fc.oneof({ weight: 1, arbitrary: fc.constant([]) }, { weight: 4, arbitrary: fc.constant([statement]) }),
    })
  return fc.tuple(...statements.map(helper))
}

/** Two to four threads; the more of them, the shorter. Shrunk threads may be empty. */
function threadsOf(profile: Profile): fc.Arbitrary<readonly Code[]> {
  const statement = statementsOf[profile]()
  const threads = (count: number, longest: number): fc.Arbitrary<readonly Code[]> =>
    fc.tuple(...Array.from({ length: count }, () => fc.array(statement, { maxLength: longest, size: 'max' })))
  const unhelped = fc.oneof(
    { weight: 5, arbitrary: threads(2, 4) },
    { weight: 6, arbitrary: threads(3, 3) },
    { weight: 2, arbitrary: threads(4, 2) },
  )
  return fc.tuple(unhelped, helpers(helpersOf[profile])).map(([alone, help]) => {
    const codes = [...alone]
    for (const { front, thread, code } of help) {
      const index = thread % codes.length
      codes[index] = front ? [...code, ...codes[index]] : [...codes[index], ...code]
    }
    return codes
  })
}

/** Random programs of a profile. Each prints itself as code. */
export function sketches(profile: Profile): fc.Arbitrary<Sketch> {
  const setup = fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.tuple(fc.record({ word: fc.constantFrom(0, 1, 2), value: fc.integer({ min: 0, max: 2 }) })) },
  )
  return fc
    .record({ words: fc.constant(words), setup, threads: threadsOf(profile) })
    .map((sketch) => ({ ...sketch, [fc.toStringMethod]: () => `\n${print(sketch)}\n` }))
}
