/** The operations of `Memory` as small integers, so that a search can keep them in flat data. */

export const LOAD = 0
export const STORE = 1
export const ADD = 2
export const SUB = 3
export const AND = 4
export const OR = 5
export const XOR = 6
export const EXCHANGE = 7
export const COMPARE_EXCHANGE = 8
export const WAIT = 9
export const NOTIFY = 10
export const PAUSE = 11
export const READ = 12
export const WRITE = 13
export const READ_BYTES = 14
export const WRITE_BYTES = 15
/** Asks whether a participant is alive: `word` is the participant. */
export const ALIVE = 16
/** Makes bytes durable: `word` is the first byte, `a` the length. Touches nothing that a thread could see. */
export const FLUSH = 17
/** Copies bytes out that are nothing until they are settled: `word` is the first byte, `a` the length. */
export const GUESS_BYTES = 18
/** Ends guesses: `word` is 1 if nothing raced with them and else 0, `a` how many bytes were guessed. */
export const SETTLE = 19
/** Not an operation: the thread returned. */
export const DONE = 20
/** Not an operation: the thread threw. */
export const THROWN = 21
/** Not an operation: the thread was killed. */
export const KILLED = 22

export const operationNames: readonly string[] = [
  'load',
  'store',
  'add',
  'sub',
  'and',
  'or',
  'xor',
  'exchange',
  'compareExchange',
  'wait',
  'notify',
  'pause',
  'read',
  'write',
  'readBytes',
  'writeBytes',
  'alive',
  'flush',
  'guessBytes',
  'settle',
  'return',
  'throw',
  'killed',
]

/** Whether an operation is a step: SeqCst. The others run together with the step before them. */
export function isStep(kind: number): boolean {
  return kind <= NOTIFY || kind === ALIVE
}

/** What `wait` came back with, as the number that histories hold. */
export const NOT_EQUAL = 0
export const OK = 1
export const TIMED_OUT = 2

export const waitResults: readonly ['not-equal', 'ok', 'timed-out'] = ['not-equal', 'ok', 'timed-out']

/** The value that a read-modify-write leaves in a word that held `old`. Not for a `compareExchange` that fails. */
export function updated(kind: number, old: number, operand: number, replacement: number): number {
  switch (kind) {
    case ADD:
      return (old + operand) | 0
    case SUB:
      return (old - operand) | 0
    case AND:
      return old & operand
    case OR:
      return old | operand
    case XOR:
      return old ^ operand
    case EXCHANGE:
      return operand
    default:
      return replacement
  }
}
