import { crc32 as native } from 'node:zlib'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crc32 } from '../../core/crc32.ts'
import { Records, recordWords } from '../../core/record.ts'
import { SharedMemory } from '../../core/shared-memory.ts'
import { Slab } from '../../core/slab.ts'
import { seed } from '../seed.ts'

describe(`what records are made of (HEDDLE_SEED=${seed})`, () => {
  it('the checksum is that of zlib, at once and in parts', () => {
    const property = fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, cut) => {
      expect(crc32(bytes)).toBe(native(bytes))
      expect(crc32(bytes.subarray(cut), crc32(bytes.subarray(0, cut)))).toBe(native(bytes))
    })
    fc.assert(property, { seed })
    expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926)
  })

  it('arrays of a slab have no byte in common, whatever their lengths', () => {
    const property = fc.property(fc.array(fc.nat(9000), { maxLength: 60 }), (lengths) => {
      const slab = new Slab()
      const arrays = lengths.map((length, i) => slab.take(length).fill(i))
      expect(arrays.map(({ length }) => length)).toEqual(lengths)
      for (const [i, array] of arrays.entries()) expect(array.every((byte) => byte === i)).toBe(true)
    })
    fc.assert(property, { seed, numRuns: 20 })
  })

  it('records keep what was written, and any other word in them shows', () => {
    const lengths = [0, 1, 4, 63, 64, 65, 255, 256, 257, 260, 4096, 8192, 8193]
    for (const length of lengths) {
      const records = new Records(crc32)
      const memory = new SharedMemory(recordWords(length) + 8)
      const payload = Uint8Array.from({ length }, (_, i) => i * 7)
      records.write(memory, 3, payload, 1, 5, 2)
      expect(records.read(memory, 3, memory.words)).toEqual({ length, tag: 1, sequence: 5, epoch: 2, payload })
      const whole = Math.floor(length / 4)
      for (let word = 3; word < 3 + 4 + whole; word += word > 20 ? 97 : 1) {
        memory.xor(word, 1 << (word & 31))
        expect(records.read(memory, 3, memory.words)).toBeUndefined()
        memory.xor(word, 1 << (word & 31))
      }
    }
  })
})
