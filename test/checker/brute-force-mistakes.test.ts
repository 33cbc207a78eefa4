/** The test of the test: every mistake seeded in the explorer is found by some random program. */

import { describe, expect, it } from 'vitest'
import { profiles, type Sketch } from '../oracle/generate.ts'
import { Samples } from '../oracle/noticing.ts'
import { explorers } from './mistakes.ts'

const samples = new Samples(profiles, 400)
const { none, ...mistakes } = explorers

describe('mistakes seeded in the search', () => {
  it.each(Object.entries(mistakes))('%s is noticed', (_, mistaken) => {
    const found = samples.foundBy(mistaken)
    expect(found).toBeDefined()
    expect(samples.isWrong(found as Sketch, none), 'without the mistake').toBe(false)
  })
})
