import { describe, expect, it } from 'vitest'
import wabt from 'wabt'
import { assemble, newWasmMemory } from '../../core/wasm-words.ts'

/** What `assemble` is to write, by hand: an address is four times the word. */
const text = `(module
  (import "shared" "memory" (memory 0 65536 shared))
  (func (export "load") (param i32) (result i32)
    (i32.atomic.load (i32.shl (local.get 0) (i32.const 2))))
  (func (export "store") (param i32 i32)
    (i32.atomic.store (i32.shl (local.get 0) (i32.const 2)) (local.get 1)))
  (func (export "add") (param i32 i32) (result i32)
    (i32.atomic.rmw.add (i32.shl (local.get 0) (i32.const 2)) (local.get 1)))
  (func (export "sub") (param i32 i32) (result i32)
    (i32.atomic.rmw.sub (i32.shl (local.get 0) (i32.const 2)) (local.get 1)))
  (func (export "and") (param i32 i32) (result i32)
    (i32.atomic.rmw.and (i32.shl (local.get 0) (i32.const 2)) (local.get 1)))
  (func (export "or") (param i32 i32) (result i32)
    (i32.atomic.rmw.or (i32.shl (local.get 0) (i32.const 2)) (local.get 1)))
  (func (export "xor") (param i32 i32) (result i32)
    (i32.atomic.rmw.xor (i32.shl (local.get 0) (i32.const 2)) (local.get 1)))
  (func (export "exchange") (param i32 i32) (result i32)
    (i32.atomic.rmw.xchg (i32.shl (local.get 0) (i32.const 2)) (local.get 1)))
  (func (export "compareExchange") (param i32 i32 i32) (result i32)
    (i32.atomic.rmw.cmpxchg (i32.shl (local.get 0) (i32.const 2)) (local.get 1) (local.get 2))))`

describe('the WebAssembly module', () => {
  it('is byte for byte what an assembler makes of its text', async () => {
    const { parseWat } = await wabt()
    const module = parseWat('words.wat', text, { threads: true })
    expect(assemble()).toEqual(module.toBinary({}).buffer)
    module.destroy()
  })
})

describe('a new WebAssembly.Memory', () => {
  it('has whole pages, and is shared', () => {
    const buffers = [1, 65536, 65537].map((bytes) => newWasmMemory(bytes)?.buffer)
    expect(buffers.map((buffer) => buffer?.byteLength)).toEqual([65536, 65536, 131072])
    for (const buffer of buffers) expect(buffer).toBeInstanceOf(SharedArrayBuffer)
  })

  it('of more than 4 GiB is none', () => {
    expect(newWasmMemory(2 ** 32 + 1)).toBe(undefined)
  })
})
