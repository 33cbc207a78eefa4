import type { Answer, History } from '../model/history.ts'
import { GUESS_BYTES, READ, READ_BYTES, SETTLE, STORE, WRITE } from '../model/operation.ts'
import { Broken } from './broken.ts'
import type { Entry } from './entry.ts'
import { grown } from './grown.ts'
import { Guesses } from './guesses.ts'
import type { Sequence } from './sequence.ts'
import { AWAKE, EXPIRE, KILL, MARK } from './step-kinds.ts'

/**
 * What the threads do Unordered: it runs along with the step before, nothing waits for it, and two that nothing orders are a
 * data race. Races are looked for by happens-before, which is less than what happened before in the sequence: a write comes
 * before who reads it, and a `notify` before whom it woke, but neither a write before the next one, nor a read before a write.
 *
 * A race that shows only in another order of the same steps is found here, too: clocks do not depend on the order; and who
 * stands before an operation, or spins, could have done it earlier.
 *
 * Nothing is kept before the first Unordered operation.
 */

// What is known of an access: bits 0 to 3 are the bytes of its word, bit 0 that of least significance.
const wholeWord = 15
const WROTE = 16
/** It was SeqCst: of interest only to those who ask what it has overwritten. */
const ORDERED = 32

const none = -1

const perAccess = ['word', 'below', 'thread', 'time', 'mask'] as const

/** The accesses, the newest of each word first. */
class Accesses {
  count = 0
  readonly newest: Int32Array
  word: Int32Array = new Int32Array(256)
  /** The one before of the same word. */
  below: Int32Array = new Int32Array(256)
  thread: Int32Array = new Int32Array(256)
  /** How many entries its thread had then. */
  time: Int32Array = new Int32Array(256)
  mask: Int32Array = new Int32Array(256)

  constructor(words: number) {
    this.newest = new Int32Array(words).fill(none)
  }

  add(word: number, thread: number, time: number, mask: number): void {
    const access = this.count++
    if (access === this.word.length) for (const name of perAccess) this[name] = grown(this[name], 2 * access)
    this.word[access] = word
    this.below[access] = this.newest[word]
    this.thread[access] = thread
    this.time[access] = time
    this.mask[access] = mask
    this.newest[word] = access
  }

  cut(count: number): void {
    while (this.count > count) {
      const access = --this.count
      this.newest[this.word[access]] = this.below[access]
    }
  }
}

export class Unordered {
  readonly #sequence: Sequence
  readonly #accesses: Accesses
  readonly #kills: boolean
  /** Whether anything has been accessed Unordered. */
  active = false
  /** For each entry what is known to have happened before it by happens-before. */
  #clock: Int32Array = new Int32Array(0)
  /** What was overwritten. */
  #word: Int32Array = new Int32Array(256)
  #old: Int32Array = new Int32Array(256)
  #writes = 0
  readonly #guesses = new Guesses()
  /** What else has to be done to show a failure. */
  witness: readonly number[] = []
  /** The step of a thread after which, and after whose causes, the witness comes; none for the end. */
  early: Entry | undefined

  constructor(sequence: Sequence) {
    this.#sequence = sequence
    this.#accesses = new Accesses(sequence.words)
    this.#kills = sequence.threads.some(({ faults }) => faults.kills > 0)
  }

  /** Makes room for clocks. */
  reserve(numbers: number): void {
    if (this.active) this.#clock = grown(this.#clock, numbers)
  }

  /** A new entry begins, and knows what the one before in its thread knew. */
  open(entry: Entry): void {
    entry.writesBefore = this.#writes
    entry.accessesBefore = this.#accesses.count
    entry.guessesBefore = this.#guesses.count
    this.#inherit(entry)
  }

  undo({ writesBefore, accessesBefore, guessesBefore }: Entry): void {
    const { memory } = this.#sequence
    while (this.#writes > writesBefore) {
      const write = --this.#writes
      memory[this.#word[write]] = this.#old[write]
    }
    this.#accesses.cut(accessesBefore)
    this.#guesses.count = guessesBefore
  }

  // Operations.

  /** Does an operation, and gives its answer. */
  operate(thread: number, node: History): Answer {
    const { memory } = this.#sequence
    switch (node.kind) {
      case READ:
        this.#access(thread, node.word, wholeWord, false)
        return memory[node.word]
      case WRITE:
        this.#access(thread, node.word, wholeWord, true)
        this.#overwrite(node.word, node.a)
        return 0
      case READ_BYTES:
        return this.#readBytes(thread, node)
      case GUESS_BYTES:
        this.#guessBytes(thread, node)
        return 0
      case SETTLE:
        return this.#settle(thread, node.word === 1)
      default:
        this.#writeBytes(thread, node)
        return 0
    }
  }

  #readBytes(thread: number, { word: from, a: length }: History): string {
    let bytes = ''
    const end = from + length
    for (let byte = from; byte < end; ) {
      const word = byte >> 2
      const stop = Math.min(end, 4 * (word + 1))
      this.#access(thread, word, maskOf(byte, stop), false)
      const value = this.#sequence.memory[word]
      for (; byte < stop; byte++) bytes += String.fromCharCode((value >>> (8 * (byte & 3))) & 255)
    }
    return bytes
  }

  #writeBytes(thread: number, { word: from, a: length, bytes }: History): void {
    const end = from + length
    for (let byte = from; byte < end; ) {
      const word = byte >> 2
      const stop = Math.min(end, 4 * (word + 1))
      this.#access(thread, word, maskOf(byte, stop), true)
      let value = this.#sequence.memory[word]
      for (; byte < stop; byte++) {
        const shift = 8 * (byte & 3)
        value = (value & ~(255 << shift)) | (bytes.charCodeAt(byte - from) << shift)
      }
      this.#overwrite(word, value)
    }
  }

  /** Notes what is there, whoever writes. If nothing races, it is what was written before. */
  #guessBytes(thread: number, { word: from, a: length }: History): void {
    if (!this.active) this.#begin()
    const end = from + length
    for (let byte = from; byte < end; ) {
      const word = byte >> 2
      const stop = Math.min(end, 4 * (word + 1))
      const mask = maskOf(byte, stop)
      const torn = (this.tornBytes(word) & mask) !== 0
      this.#guesses.add(thread, this.#sequence.tip[thread].place, word, mask, this.#sequence.memory[word], torn)
      byte = stop
    }
  }

  /** Guesses that are valid are reads: made then, not now. Nobody may have written meanwhile who did not know of them. */
  #settle(thread: number, valid: boolean): string {
    const guesses = this.#guesses
    let bytes = ''
    for (const guess of guesses.settle(thread)) {
      if (!valid) continue
      const { word, mask, last, torn } = guesses
      const then = last[guess] < 0 ? this.#sequence.nothing : this.#sequence.entries[last[guess]]
      if (torn[guess] === 1) this.#fail()
      this.checkGuess(thread, word[guess], mask[guess], then)
      this.#accesses.add(word[guess], thread, then.position, mask[guess])
      bytes += guesses.bytesOf(guess)
    }
    return bytes
  }

  #overwrite(word: number, value: number): void {
    const { memory } = this.#sequence
    const write = this.#writes++
    if (write === this.#word.length) {
      this.#word = grown(this.#word, 2 * write)
      this.#old = grown(this.#old, 2 * write)
    }
    this.#word[write] = word
    this.#old[write] = memory[word]
    memory[word] = value
  }

  /** A thread accesses bytes of a word. */
  #access(thread: number, word: number, mask: number, writes: boolean): void {
    if (!this.active) this.#begin()
    const last = this.#sequence.tip[thread]
    const { lastWrite, lastRead, standing } = this.#sequence.locations[word]
    this.#checkAgainstAccesses(thread, word, mask, writes, last)
    for (let write = lastWrite; write.place >= 0; write = write.writeBefore) this.#checkAgainst(write, thread, last)
    if (writes) {
      for (let read = lastRead; read.place >= 0; read = read.readBefore) this.#checkAgainst(read, thread, last)
      for (let write = lastWrite; write.place >= 0; write = write.writeBefore) {
        for (let read = write.readBefore; read.place >= 0; read = read.readBefore) this.#checkAgainst(read, thread, last)
      }
      // Who stands before an operation there could have done it before.
      const others = standing & ~(1 << thread)
      if (others !== 0) this.#fail([31 - Math.clz32(others)])
    }
    this.#accesses.add(word, thread, last.position, writes ? mask | WROTE : mask)
  }

  // Races.

  #fail(witness: readonly number[] = [], early?: Entry): never {
    this.witness = witness
    this.early = early
    throw new Broken('data-race')
  }

  /** Whether a step races with what a thread does now. */
  #checkAgainst({ thread: owner, position }: Entry, thread: number, last: Entry): void {
    if (owner !== thread && this.#known(last, owner) < position) this.#fail()
  }

  /** Whether a guess, made after the entry `last` of its thread, races with a write. */
  protected checkGuess(thread: number, word: number, mask: number, last: Entry): void {
    const accesses = this.#accesses
    const { tip, locations } = this.#sequence
    const time = last.position
    for (let access = accesses.newest[word]; access >= 0; access = accesses.below[access]) {
      const other = accesses.mask[access]
      const owner = accesses.thread[access]
      if ((other & mask) === 0 || (other & (WROTE | ORDERED)) !== WROTE || owner === thread) continue
      const written = accesses.time[access]
      if (this.#known(last, owner) > written) continue
      let step = tip[owner]
      while (step.position > written) step = step.previous
      if (this.#known(step, thread) <= time) this.#fail()
    }
    for (let write = locations[word].lastWrite; write.place >= 0; write = write.writeBefore) {
      if (write.thread === thread || this.#known(last, write.thread) >= write.position) continue
      if (this.#known(write, thread) <= time) this.#fail()
    }
  }

  /** How many entries of a thread happened before an entry of another one. */
  #known({ at }: Entry, thread: number): number {
    return this.#clock[at + thread]
  }

  /** Whether what a thread does at a step, or after it, races with what was done Unordered. */
  #checkAgainstAccesses(thread: number, word: number, mask: number, writes: boolean, step: Entry): void {
    const accesses = this.#accesses
    const someoneDied = this.#sequence.killed !== 0
    let unordered = true
    let missing = writes ? 0 : mask
    for (let access = accesses.newest[word]; access >= 0; access = accesses.below[access]) {
      const other = accesses.mask[access]
      if ((other & mask) === 0) continue
      const wrote = (other & WROTE) !== 0
      if (wrote && (other & missing) !== 0) {
        if (someoneDied && (other & ORDERED) === 0 && this.isTorn(access)) this.#fail()
        missing &= ~other
      }
      if (unordered && (other & ORDERED) === 0 && (writes || wrote)) {
        const owner = accesses.thread[access]
        if (owner !== thread && this.#known(step, owner) <= accesses.time[access]) this.#fail()
        // Whatever came before a write of all these bytes was in order with it.
        if (wrote && (other & mask) === mask) unordered = false
      }
      if (!unordered && missing === 0) return
    }
  }

  /** A step has been taken at a location. */
  noteStep(step: Entry, word: number, writes: number): void {
    const { thread, what, node, previous, writeBefore } = step
    if (this.#sequence.synchronizes(step)) this.join(step, writeBefore)
    if (word >= this.#sequence.words || this.#accesses.newest[word] < 0 || what === EXPIRE || what === KILL) return
    if (writes === 1) this.#checkAgainstAccesses(thread, word, wholeWord, true, step)
    // A read-modify-write reads, too.
    if (node.kind !== STORE) this.#checkAgainstAccesses(thread, word, wholeWord, false, step)
    // What is written SeqCst is not torn.
    if (writes === 1 && this.#kills) this.#accesses.add(word, thread, previous.position, wholeWord | WROTE | ORDERED)
  }

  /** A thread has come to stand before an operation. If it would only park it could have looked earlier, or may do so now. */
  noteStanding(thread: number, node: History): void {
    const { word } = node
    const accesses = this.#accesses
    if (accesses.newest[word] < 0 || this.#sequence.enabled(thread)) return
    const { tip, clock, locations } = this.#sequence
    const last = tip[thread]
    const write = locations[word].lastWrite
    for (let access = accesses.newest[word]; access >= 0; access = accesses.below[access]) {
      if ((accesses.mask[access] & (WROTE | ORDERED)) !== WROTE) continue
      const owner = accesses.thread[access]
      if (owner === thread) continue
      const time = accesses.time[access]
      if (clock[last.at + owner] < time) this.#fail([thread], last)
      if (Math.max(this.#known(last, owner), this.#known(write, owner)) <= time) this.#fail([thread])
    }
  }

  // Happens-before.

  #inherit({ at, thread, position, previous }: Entry): void {
    const { count } = this.#sequence
    const clock = this.#clock
    for (let t = 0, from = previous.at; t < count; t++) clock[at + t] = clock[from + t]
    clock[at + thread] = position
  }

  /** An entry knows what another one knew. Who knows a later one of that thread knows it already. */
  join(step: Entry, other: Entry): void {
    if (this.#known(step, other.thread) < other.position) this.#sequence.join(this.#clock, step, other)
  }

  /** From now on happens-before is kept. */
  #begin(): void {
    const { clock, entries, depth } = this.#sequence
    this.active = true
    this.#clock = new Int32Array(clock.length)
    for (let place = 0; place < depth; place++) {
      const step = entries[place]
      this.#inherit(step)
      if (step.what === AWAKE) {
        let notify = place - 1
        while (entries[notify].what === AWAKE) notify--
        this.join(step, entries[notify])
      } else if (step.op >= 0 && this.#sequence.synchronizes(step)) this.join(step, step.writeBefore)
    }
  }

  // Kills.

  /** Whether a killed thread did this write since its last step: nobody knows what its bytes are. */
  isTorn(access: number): boolean {
    const { tip, killed } = this.#sequence
    const thread = this.#accesses.thread[access]
    if (((killed >> thread) & 1) === 0) return false
    // The last step before it was killed. That it had chosen to be is marked in between.
    let last = tip[thread].previous
    while (last.what === MARK) last = last.previous
    return this.#accesses.time[access] === last.position
  }

  /** The bytes of a word that killed threads have left undefined. */
  tornBytes(word: number): number {
    const accesses = this.#accesses
    let torn = 0
    let missing = this.#sequence.killed === 0 ? 0 : wholeWord
    for (let access = accesses.newest[word]; access >= 0 && missing !== 0; access = accesses.below[access]) {
      const mask = accesses.mask[access]
      if ((mask & WROTE) === 0) continue
      if ((mask & ORDERED) === 0 && this.isTorn(access)) torn |= mask & missing
      missing &= ~mask
    }
    return torn
  }
}

/** The bytes from one byte offset to another, both in one word. */
function maskOf(from: number, to: number): number {
  return ((1 << (to - from)) - 1) << (from & 3)
}
