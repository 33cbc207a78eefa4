import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { MappedMemory } from '../../core/node-index.ts'
import { memoryContract } from './memory-contract.ts'

const folder = mkdtempSync(join(tmpdir(), 'heddle-mapped-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const newPath = (): string => join(folder, `file-${files++}`)

memoryContract('MappedMemory', (words, body) => {
  const memory = MappedMemory.create(newPath(), { words })
  try {
    body(memory)
  } finally {
    memory.close()
  }
})

describe('MappedMemory', () => {
  it('is', () => {
    const path = newPath()
    const one = MappedMemory.create(path, { words: 4, wordsMax: 100000 })
    const two = MappedMemory.open(path)
    one.add(3, 5)
    expect(two.load(3)).toBe(5)
    two.grow(70000)
    one.add(69999, 6)
    expect(two.load(69999)).toBe(6)
    expect(one.participants().length).toBe(2)
    expect(one.liveness.alive(two.liveness.self)).toBe(true)
    two.close()
    expect(one.liveness.alive(two.liveness.self)).toBe(false)
    expect(() => two.load(0)).toThrow('closed')
    one.close()
  })
})
