import type { Memory } from './memory.ts'
import { show } from './require.ts'

/**
 * What all structures have in common in shared memory: lines, and a header that says what stands here.
 *
 * ```
 *   word of the structure
 *   0        magic       written last: who sees it sees everything that `create` wrote
 *   1        version     of the layout of all structures
 *   2        kind        four letters: which structure
 *   3        words       how many words the structure takes, this header included
 *   4 ..     parameters  each structure's own
 * ```
 */

/**
 * Words from the start of one owner's words to the start of the next one's: 128 bytes.
 *
 * A cache line has 64 bytes on x86 and most Arm processors, but Intel's fetch lines in pairs and Apple's have lines of
 * 128: words 64 bytes apart still slow each other down there. 128 bytes also keep two owners apart wherever the buffer
 * begins, for a `SharedArrayBuffer` need not begin on a line.
 */
export const lineWords = 32

/** The most words that a structure can have: word indices are unsigned 32-bit numbers. */
export const structureWordsMax: number = 2 ** 32 - 1

/** Rises whenever bytes change their meaning, so that two releases of Heddle never misread each other. */
export const layoutVersion = 1

const magic = fourLetters('HDDL')
const parameterAt = 4

/** How many parameters fit into the header, which is one line. */
export const parametersMax: number = lineWords - parameterAt

/** The four letters of a magic number or a kind as they lie in memory, the first letter in the lowest byte. */
export function fourLetters(letters: string): number {
  let word = 0
  for (let i = 3; i >= 0; i--) word = (word << 8) | letters.charCodeAt(i)
  return word
}

/** `words` rounded up to whole lines. */
export function wholeLines(words: number): number {
  return Math.ceil(words / lineWords) * lineWords
}

/**
 * Checks that a structure may stand at `at`.
 *
 * @param who the first word of errors: `Ring`
 * @param at word index where the structure begins
 * @param words how many words it takes
 * @throws RangeError when `at` is not on a line, or the memory ends before the structure does
 */
export function requirePlace(who: string, memory: Memory, at: number, words: number): void {
  if (!Number.isInteger(at) || at < 0 || at % lineWords !== 0) {
    throw new RangeError(`${who}: expected 'at' to be a multiple of ${lineWords} words (a cache line), found ${show(at)}`)
  }
  if (words > structureWordsMax) {
    throw new RangeError(`${who}: expected at most ${structureWordsMax} words, found ${words}; make it smaller`)
  }
  if (at + words > memory.words) {
    throw new RangeError(
      `${who}: expected ${words} words from word ${at} on, found a memory of ${memory.words} words; ` +
        `make the memory at least ${at + words} words long`,
    )
  }
}

/**
 * Writes everything of the header but its magic. `create` calls this, initialises the rest, and ends with `publishHeader`.
 *
 * @param parameters signed 32-bit integers, at most `parametersMax`
 */
export function writeHeader(memory: Memory, at: number, kind: number, words: number, parameters: readonly number[]): void {
  memory.write(at + 1, layoutVersion)
  memory.write(at + 2, kind)
  memory.write(at + 3, words)
  for (let i = 0; i < parameters.length; i++) memory.write(at + parameterAt + i, parameters[i] as number)
}

/** Ends `create`: from here on other threads may attach. */
export function publishHeader(memory: Memory, at: number): void {
  // All that `create` wrote belongs to it alone until this store and to everybody who attaches after it.
  // Observed by the load in `readHeader`; nobody else writes here, for nobody has attached yet.
  // Safety: ring/attaches
  memory.store(at, magic)
}

/** What a header says, checked as far as it can be without knowing the structure. */
export interface Header {
  readonly words: number
  readonly parameters: readonly number[]
}

/**
 * Reads and checks the header of a structure that another thread created.
 *
 * @param who the first word of errors: `Ring`
 * @param kind what must stand here
 * @param parameters how many parameters this structure has
 * @throws RangeError when `at` is no place for a structure or the memory is shorter than the structure
 * @throws Error when nothing, something else, or another version stands at `at`
 */
export function readHeader(who: string, memory: Memory, at: number, kind: number, parameters: number): Header {
  requirePlace(who, memory, at, lineWords)
  // The magic, or nothing yet. After the magic, everything that `create` wrote may be read plainly.
  // Safety: ring/attaches
  const foundMagic = memory.load(at)
  if (foundMagic === 0) {
    throw new Error(`${who}: expected a structure at word ${at}, found nothing; create it first, or pass its own 'at'`)
  }
  if (foundMagic !== magic) {
    throw new Error(
      `${who}: expected a structure at word ${at}, found the foreign word ${hexadecimal(foundMagic)}; ` +
        `pass the 'at' that it was created at`,
    )
  }
  const version = memory.read(at + 1)
  if (version !== layoutVersion) {
    throw new Error(
      `${who}: expected layout version ${layoutVersion}, found ${version}; let the same release of heddle create and attach`,
    )
  }
  const foundKind = memory.read(at + 2)
  if (foundKind !== kind) {
    throw new Error(
      `${who}: expected a structure of kind ${letters(kind)} at word ${at}, found ${letters(foundKind)}; ` +
        `attach with the class that created it`,
    )
  }
  const words = memory.read(at + 3) >>> 0
  requirePlace(who, memory, at, words)
  return { words, parameters: Array.from({ length: parameters }, (_, i) => memory.read(at + parameterAt + i)) }
}

/**
 * Checks that the words in a header are those that its parameters ask for.
 *
 * @param who the first word of errors: `Ring.attach`
 * @throws Error when they are not
 */
export function requireWords(who: string, found: number, expected: number): void {
  if (found !== expected) {
    throw new Error(`${who}: expected ${expected} words for this shape, found ${found} in the header; the memory was overwritten`)
  }
}

function hexadecimal(word: number): string {
  return `0x${(word >>> 0).toString(16).padStart(8, '0')}`
}

/** A kind as people read it, or its number where it is not made of letters. */
function letters(kind: number): string {
  const text = [0, 8, 16, 24].map((shift) => String.fromCharCode((kind >>> shift) & 0xff)).join('')
  return /^[A-Z0-9]{4}$/.test(text) ? text : hexadecimal(kind)
}
