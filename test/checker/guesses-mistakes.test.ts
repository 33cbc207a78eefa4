/** The test of the test: an explorer that is wrong about guesses is found by some random program. */

import { describe, expect, it } from 'vitest'
import { explore } from '../../checker/explore.ts'
import { Guesses } from '../../checker/guesses.ts'
import { Unordered } from '../../checker/unordered.ts'
import { SETTLE } from '../../model/operation.ts'
import type { Explore } from '../oracle/compare.ts'
import type { Sketch } from '../oracle/generate.ts'
import { Samples } from '../oracle/noticing.ts'

type Arguments = readonly unknown[]
/** What is done instead: calls the method as it was, with whatever it likes. */
type Instead = (call: (...args: Arguments) => unknown, args: Arguments, self: unknown) => unknown

/** An explorer of which one method does something else. */
function mistaken(part: { readonly prototype: object }, method: string, instead: Instead): Explore {
  const methods = part.prototype as Record<string, (...args: Arguments) => unknown>
  const original = methods[method] as (...args: Arguments) => unknown
  return (program, options) => {
    methods[method] = function (this: unknown, ...args: Arguments) {
      return instead((...given) => original.apply(this, [...given]), args, this)
    }
    try {
      return explore(program, options)
    } finally {
      methods[method] = original
    }
  }
}

const mistakes: Readonly<Record<string, Explore>> = {
  'forgets that a guess may race': mistaken(Unordered, 'checkGuess', () => {}),
  'takes each guess for one made before all else': mistaken(Guesses, 'add', (call, [thread, , ...rest]) =>
    call(thread, -1, ...rest),
  ),
  'settles without asking whether it is valid': mistaken(Unordered, 'operate', (call, [thread, node]) => {
    const { kind } = node as { readonly kind: number }
    return call(thread, kind === SETTLE ? Object.assign(Object.create(node as object), { word: 1 }) : node)
  }),
  'settles again what was settled': mistaken(Guesses, 'settle', (call, args, self) => {
    const open = call(...args)
    ;(self as Guesses).count--
    return open
  }),
  'settles only the last guess': mistaken(Guesses, 'settle', (call, args) => (call(...args) as readonly number[]).slice(-1)),
  'does not keep what was there at the guess': mistaken(Guesses, 'bytesOf', (call, args) =>
    '\0'.repeat((call(...args) as string).length),
  ),
}

const samples = new Samples(['guesses'], 400)

describe('an explorer that', () => {
  it.each(Object.entries(mistakes))('%s is noticed', (_, explorer) => {
    const found = samples.foundBy(explorer)
    expect(found).toBeDefined()
    expect(samples.isWrong(found as Sketch, explore), 'without the mistake').toBe(false)
  })
})
