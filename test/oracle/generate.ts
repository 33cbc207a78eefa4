/** Random small programs for the oracle and the explorer to disagree about. */

import * as fc from 'fast-check'
import { type Code, type Condition, type Modify, mapCode, type Operand, print, type Sketch, type Statement } from './sketch.ts'

export { print, programOf, type Sketch } from './sketch.ts'

/** What kinds of statement a program is made of. */
export type Profile = 'atomics' | 'pauses' | 'waits' | 'plain' | 'guesses' | 'mixed'

export const profiles: readonly Profile[] = ['atomics', 'pauses', 'waits', 'plain', 'guesses', 'mixed']

/** Programs whose threads are killed, by what they do: look who lives, leave torn bytes, wait and wake up, all of it. */
export type FaultProfile = 'deaths' | 'torn' | 'spurious' | 'faults'

export const faultProfiles: readonly FaultProfile[] = ['deaths', 'torn', 'spurious', 'faults']

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

// Guesses.

const guess: Arbitrary = fc.record({ do: fc.constant('guess'), byte: firstByte, length: fc.integer({ min: 0, max: 5 }) })
const settle: Arbitrary = fc.record({ do: fc.constant('settle'), valid: fc.boolean() })
const guessed: Arbitrary = fc.constant({ do: 'guessed' })
const guessesOf: fc.Arbitrary<Code> = fc.array(guess, { minLength: 1, maxLength: 2, size: 'max' })
/** Says that the data is being written, or forgets to; writes, and raises the flag. */
const rewrite: Arbitrary = fc
  .tuple(
    fc.oneof(
      { weight: 4, arbitrary: fc.constant<Code>([{ do: 'exchange', word: flag, value: 0 }]) },
      { weight: 1, arbitrary: fc.constant<Code>([{ do: 'store', word: flag, value: 0 }]) },
      { weight: 1, arbitrary: fc.constant<Code>([]) },
    ),
    fc.array(fc.oneof(write, writeBytes), { minLength: 1, maxLength: 2, size: 'max' }),
    fc.constantFrom(1, 1, 1, 2),
  )
  .map(([begin, body, value]) => block([...begin, ...body, { do: 'store', word: flag, value }]))
/** How to find out whether the flag is as it was: some of them prove nothing. */
const lookAgain: Arbitrary = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom<Statement>({ do: 'add', word: flag, value: 0 }, { do: 'or', word: flag, value: 0 }) },
  { weight: 1, arbitrary: fc.constant<Statement>({ do: 'load', word: flag }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Statement>(
      { do: 'compareExchange', word: flag, expected: 1, replacement: 1 },
      { do: 'compareExchange', word: flag, expected: 0, replacement: 0 },
    ),
  },
)
const settled: Statement = { do: 'settle', valid: true }
const forgotten: Statement = { do: 'settle', valid: false }
/** Guesses once the flag is raised, looks again, and settles as it finds the flag. */
const speculate: Arbitrary = fc
  .tuple(guessesOf, lookAgain, fc.constantFrom('if', 'if', 'spin', 'use'), fc.oneof(guessed, settle, access))
  .map(([body, again, how, other]) => {
    const look: Statement = { do: 'load', word: flag }
    const end: Statement = { do: 'if', condition: last(1), yes: [settled], no: [forgotten] }
    if (how === 'spin') {
      return block([{ do: 'spin', body: [look], until: last(1), rounds: forEver }, ...body, again, end])
    }
    const yes = how === 'use' ? [...body, again, other, end] : [...body, again, end]
    return block([look, { do: 'if', condition: last(1), yes, no: [] }])
  })
/** The same again and again, until nothing came in between. */
const speculateUntilValid: Arbitrary = fc.tuple(guess, lookAgain).map(([copy, again]) => ({
  do: 'spin',
  body: [
    { do: 'load', word: flag },
    { do: 'if', condition: last(1), yes: [copy, again, { do: 'if', condition: last(1), yes: [settled], no: [] }], no: [] },
  ],
  until: last(1),
  rounds: forEver,
}))
/** Guesses in every iteration. */
const guessWhileWaiting: Arbitrary = fc.tuple(guess, settle, fc.constantFrom(0, flag)).map(([copy, end, word]) => ({
  do: 'spin',
  body: [copy, end, { do: 'load', word }],
  until: last(1),
  rounds: forEver,
}))
const guesses: readonly Weighted[] = [
  { weight: 6, arbitrary: speculate },
  { weight: 2, arbitrary: speculateUntilValid },
  { weight: 6, arbitrary: rewrite },
  { weight: 1, arbitrary: guess },
  { weight: 1, arbitrary: settle },
  { weight: 1, arbitrary: guessed },
  { weight: 1, arbitrary: guessWhileWaiting },
]

// Deaths.

/** The most threads that a program has. */
const mostThreads = 4
const someThread: fc.Arbitrary<number> = fc.integer({ min: 0, max: mostThreads - 1 })
/** So many threads further than the next one: mostly another one than this. */
const further: fc.Arbitrary<number> = fc.constantFrom(0, 0, 0, 1, 1, 2)
const dead: Arbitrary = fc.record({ do: fc.constant('dead'), thread: further })
const alive: Arbitrary = fc.record({ do: fc.constant('alive'), thread: further })
const awaitDeath: Arbitrary = spin(one(dead), fc.constant(last(1)))
/** Waits for a signal, or for the death of somebody, and looks at either first. */
const signalOrDeath: Arbitrary = spin(
  fc.tuple(dead, loadOf(signalWord), fc.boolean()).map(([death, look, first]) => (first ? [death, look] : [look, death])),
  fc.constant({ which: 'every', equals: 0, not: true }),
)
/** A lock that is taken from somebody who is dead. */
const lockedUnlessDead: Arbitrary = fc
  .tuple(alive, fc.oneof(load, store, modify, fc.constant<Statement>({ do: 'self' })))
  .map(([look, inside]) =>
    block([
      {
        do: 'spin',
        body: [{ do: 'compareExchange', word: lock, expected: 0, replacement: 1 }, look],
        until: { which: 'some', equals: 0, not: false },
        rounds: forEver,
      },
      inside,
      { do: 'store', word: lock, value: 0 },
    ]),
  )
function ifDead(body: fc.Arbitrary<Code>): Arbitrary {
  return fc.tuple(dead, body).map(([look, yes]) => block([look, { do: 'if', condition: last(1), yes, no: [] }]))
}
const deaths: readonly Weighted[] = [
  { weight: 4, arbitrary: dead },
  { weight: 6, arbitrary: signalOrDeath },
  { weight: 6, arbitrary: signal },
  { weight: 3, arbitrary: lockedUnlessDead },
  { weight: 3, arbitrary: ifDead(one(fc.oneof(load, store, modify, compareExchange, dead))) },
  { weight: 1, arbitrary: fc.constant({ do: 'self' }) },
  { weight: 1, arbitrary: awaitDeath },
]
/** Writes over what a dead thread may have torn, in one of the ways there are. */
const repair: fc.Arbitrary<Code> = fc.oneof(
  fc.array(fc.oneof(write, writeBytes, storeOf(dataWord)), { minLength: 1, maxLength: 2, size: 'max' }),
  fc.constant(data.map((word): Statement => ({ do: 'store', word, value: 1 }))),
)
const raised: Statement = { do: 'load', word: flag }
const raise: Statement = { do: 'store', word: flag, value: 1 }
/** Writes, and then raises the flag, unless it dies in between. */
const bequeath: Arbitrary = fc.array(fc.oneof(write, writeBytes), { minLength: 1, maxLength: 2, size: 'max' }).map((body) => {
  return block([...body, raise])
})
/** Waits until the flag is raised, or until the one who should raise it is dead: then the data should be repaired first. */
const inherit: Arbitrary = fc.tuple(dead, repair, access, read, fc.boolean()).map(([look, mend, other, ownRead, mends]) => {
  const unraised = { which: 'every', equals: 0, not: true } as const
  const mended: Statement = { do: 'if', condition: last(0), yes: mends ? mend : [], no: [] }
  return block([{ do: 'spin', body: [look, raised], until: unraised, rounds: forEver }, mended, other, ownRead])
})
const inheritances: readonly Weighted[] = [
  { weight: 5, arbitrary: inherit },
  { weight: 5, arbitrary: bequeath },
  { weight: 2, arbitrary: ifDead(accesses) },
  { weight: 2, arbitrary: ifDead(fc.tuple(repair, accesses).map((parts) => parts.flat())) },
  { weight: 1, arbitrary: dead },
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

const statementsOf: { readonly [P in Profile | FaultProfile]: () => Arbitrary } = {
  atomics: () => structured(atomic),
  pauses: () => structured([...scaled(2, atomic), ...scaled(1, pauses)]),
  waits: () => structured([...scaled(1, atomic), ...scaled(1, waits)]),
  plain: () => structured([...scaled(2, atomic), ...scaled(5, disciplined), ...scaled(4, wild)]),
  guesses: () => structured([...scaled(1, atomic), ...scaled(2, disciplined), ...scaled(3, guesses)]),
  mixed: () =>
    structured([
      ...scaled(6, atomic),
      ...scaled(2, pauses),
      ...scaled(2, waits),
      ...scaled(3, disciplined),
      ...scaled(4, wild),
      ...scaled(1, guesses),
      { weight: 3, arbitrary: handOver },
      { weight: 3, arbitrary: failing },
    ]),
  deaths: () => structured([...scaled(2, atomic), ...scaled(2, deaths)]),
  torn: () => structured([...scaled(2, atomic), ...scaled(1, wild), ...scaled(4, inheritances), ...scaled(1, guesses)]),
  spurious: () => structured([...scaled(1, atomic), ...scaled(1, waits)]),
  faults: () =>
    structured([
      ...scaled(6, atomic),
      ...scaled(1, pauses),
      ...scaled(3, waits),
      ...scaled(2, disciplined),
      ...scaled(2, wild),
      ...scaled(3, deaths),
      ...scaled(4, inheritances),
      { weight: 3, arbitrary: handOver },
      { weight: 1, arbitrary: failing },
    ]),
}

const signals: readonly Statement[] = [
  { do: 'store', word: 1, value: 1 },
  { do: 'add', word: 2, value: 1 },
]
const wakeAll: Statement = { do: 'notify', word: 0, count: undefined }
const wakers: readonly Statement[] = [
  block([{ do: 'store', word: 0, value: 1 }, wakeAll]),
  { do: 'notify', word: 1, count: undefined },
]
/** What lets those go on who wait: most programs would hang without. */
const helpersOf: { readonly [P in Profile | FaultProfile]: readonly Statement[] } = {
  atomics: [],
  pauses: signals,
  waits: wakers,
  plain: [raise],
  guesses: [raise],
  mixed: [...signals, wakeAll, raise],
  deaths: signals,
  torn: [raise],
  spurious: wakers,
  faults: [...signals, wakeAll, raise],
}

/** A few statements from the list, each to go to the front or the back of some thread. */
function helpers(statements: readonly Statement[]): fc.Arbitrary<readonly { front: boolean; thread: number; code: Code }[]> {
  const helper = (statement: Statement): fc.Arbitrary<{ front: boolean; thread: number; code: Code }> =>
    fc.record({
      front: fc.boolean(),
      thread: someThread,
      code: fc.oneof({ weight: 1, arbitrary: fc.constant([]) }, { weight: 4, arbitrary: fc.constant([statement]) }),
    })
  return fc.tuple(...statements.map(helper))
}

/** Two to four threads; the more of them, the shorter. Shrunk threads may be empty. */
function threadsOf(profile: Profile | FaultProfile): fc.Arbitrary<readonly Code[]> {
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

interface Dooms {
  /** For each thread whether it may be killed. */
  readonly mortal: readonly boolean[]
  readonly kills: number
  readonly spurious: boolean
}

const mortal: fc.Arbitrary<readonly boolean[]> = fc.array(fc.constantFrom(false, true, true), {
  minLength: mostThreads,
  maxLength: mostThreads,
})
const immortal: fc.Arbitrary<readonly boolean[]> = fc.constant([])
const dooms = (mortal: fc.Arbitrary<readonly boolean[]>, spurious: fc.Arbitrary<boolean>): fc.Arbitrary<Dooms> =>
  fc.record({ mortal, kills: fc.constantFrom(1, 1, 2), spurious })
const doomsOf: { readonly [P in Profile | FaultProfile]?: fc.Arbitrary<Dooms> } = {
  deaths: dooms(mortal, fc.constant(false)),
  torn: dooms(mortal, fc.constant(false)),
  spurious: dooms(fc.oneof({ weight: 2, arbitrary: immortal }, { weight: 1, arbitrary: mortal }), fc.constant(true)),
  faults: dooms(mortal, fc.boolean()),
}

/** The sketch with faults that fit its threads, and with looks at threads that there are. */
function doomed(sketch: Sketch, { mortal, kills, spurious }: Dooms): Sketch {
  const count = sketch.threads.length
  const threads = sketch.threads.map((code, self) =>
    mapCode(code, (statement) => {
      return 'thread' in statement ? { ...statement, thread: (self + 1 + statement.thread) % count } : statement
    }),
  )
  const kill = [...threads.keys()].filter((thread) => mortal[thread])
  return { ...sketch, threads, faults: { kill, kills: Math.min(kills, kill.length), spurious } }
}

/** Random programs of a profile. Each prints itself as code. */
export function sketches(profile: Profile | FaultProfile): fc.Arbitrary<Sketch> {
  const setup = fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.tuple(fc.record({ word: fc.constantFrom(0, 1, 2), value: fc.integer({ min: 0, max: 2 }) })) },
  )
  const whole = fc.record({ words: fc.constant(words), setup, threads: threadsOf(profile) })
  const dooms = doomsOf[profile]
  const faulty = dooms === undefined ? whole : fc.tuple(whole, dooms).map(([sketch, doom]) => doomed(sketch, doom))
  return faulty.map((sketch) => ({ ...sketch, [fc.toStringMethod]: () => `\n${print(sketch)}\n` }))
}
