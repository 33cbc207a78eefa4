import type { AtomicWords } from './atomic-words.ts'

/**
 * The same operations as functions of a small WebAssembly module over a shared `WebAssembly.Memory`.
 *
 * Engines call a builtin for each of `Atomics`, and compile these in place: a load takes 3 ns where `Atomics.load` takes 6, the
 * others 7 where those take 9 (`test/bench/mapped.ts`). To both the memory model is one and the same: the operations of
 * WebAssembly are the SeqCst ones of ECMAScript, on the same bytes.
 *
 * The module is assembled here, each function of its operands and one instruction. As text:
 *
 * ```
 * (func (export "add") (param i32 i32) (result i32)
 *   (i32.atomic.rmw.add (i32.shl (local.get 0) (i32.const 2)) (local.get 1)))
 * ```
 */

/** A `WebAssembly.Memory`, which the types of ECMAScript do not know. */
export interface WasmMemory {
  readonly buffer: ArrayBufferLike
  grow(pages: number): number
}

const pageBytes = 65536
const pagesMax = 65536

/** The types of the functions: how many operands, the word among them, and how many results. */
const types: readonly (readonly [operands: number, results: number])[] = [
  [1, 1],
  [2, 0],
  [2, 1],
  [3, 1],
]

/** The code of the instruction, after the prefix of all atomic ones, and the type of its function. */
const instructions: Readonly<Record<keyof AtomicWords, readonly [code: number, type: number]>> = {
  load: [0x10, 0],
  store: [0x17, 1],
  add: [0x1e, 2],
  sub: [0x25, 2],
  and: [0x2c, 2],
  or: [0x33, 2],
  xor: [0x3a, 2],
  exchange: [0x41, 2],
  compareExchange: [0x48, 3],
}

const magicAndVersion = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
const section = { type: 1, import: 2, function: 3, export: 7, code: 10 } as const
const i32 = 0x7f
const noLocals = 0
const localGet = 0x20
const i32Const = 0x41
const i32Shl = 0x74
const end = 0x0b
const atomicPrefix = 0xfe
/** Addresses are multiples of 2^2, and nothing is added to them. */
const alignment = [2, 0]

/** The module as bytes. */
export function assemble(): Uint8Array {
  const all = Object.entries(instructions)
  const integers = (count: number): number[] => vector(Array(count).fill([i32]))
  // At least 0 pages, and shared.
  const memory = [...text('shared'), ...text('memory'), 2, 3, ...unsigned(0), ...unsigned(pagesMax)]
  const code = all.map(([, [instruction, type]]) => {
    const [operands] = types[type]
    const address = [localGet, 0, i32Const, 2, i32Shl]
    const others = [1, 2].slice(0, operands - 1).flatMap((local) => [localGet, local])
    return sized([noLocals, ...address, ...others, atomicPrefix, instruction, ...alignment, end])
  })
  return Uint8Array.from([
    ...magicAndVersion,
    ...[section.type, ...sized(vector(types.map(([operands, results]) => [0x60, ...integers(operands), ...integers(results)])))],
    ...[section.import, ...sized(vector([memory]))],
    ...[section.function, ...sized(vector(all.map(([, [, type]]) => [type])))],
    ...[section.export, ...sized(vector(all.map(([name], index) => [...text(name), 0, index])))],
    ...[section.code, ...sized(vector(code))],
  ])
}

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)]
}

function sized(bytes: readonly number[]): number[] {
  return [...unsigned(bytes.length), ...bytes]
}

function vector(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()]
}

function text(ascii: string): number[] {
  return sized([...ascii].map((letter) => letter.charCodeAt(0)))
}

/** What is used of the global `WebAssembly`. */
interface Api {
  readonly Memory: new (options: { readonly initial: number; readonly maximum: number; readonly shared: true }) => WasmMemory
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: AtomicWords }
}

const api = (globalThis as unknown as { readonly WebAssembly?: Api }).WebAssembly

/** Before it says that there are no addresses, an engine collects garbage for 0.1 s: a thread asks for more than there are once. */
let addressesLeft = true

/** A new memory of at least so many bytes; undefined where there are no addresses for it, or no WebAssembly. */
export function newWasmMemory(bytes: number): WasmMemory | undefined {
  const pages = Math.ceil(bytes / pageBytes)
  if (api === undefined || pages > pagesMax || !addressesLeft) return undefined
  try {
    return new api.Memory({ initial: pages, maximum: pages, shared: true })
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    addressesLeft = false
    return undefined
  }
}

let compiled: object | undefined

/** On the words of one memory. */
export class WasmWords implements AtomicWords {
  // Fields, not methods: the call goes to the function of WebAssembly itself.
  readonly load: AtomicWords['load']
  readonly store: AtomicWords['store']
  readonly add: AtomicWords['add']
  readonly sub: AtomicWords['sub']
  readonly and: AtomicWords['and']
  readonly or: AtomicWords['or']
  readonly xor: AtomicWords['xor']
  readonly exchange: AtomicWords['exchange']
  readonly compareExchange: AtomicWords['compareExchange']

  constructor(memory: WasmMemory) {
    const { Module, Instance } = api as Api
    compiled ??= new Module(assemble())
    const { exports } = new Instance(compiled, { shared: { memory } })
    this.load = exports.load
    this.store = exports.store
    this.add = exports.add
    this.sub = exports.sub
    this.and = exports.and
    this.or = exports.or
    this.xor = exports.xor
    this.exchange = exports.exchange
    this.compareExchange = exports.compareExchange
  }
}

let mayCompile = true

/**
 * The words of one memory; `undefined` where the host compiles nothing, as a page does whose Content-Security-Policy lacks
 * `'wasm-unsafe-eval'`.
 */
export function wasmWords(memory: WasmMemory): WasmWords | undefined {
  // Asked once: such a page reports each time as a violation.
  if (!mayCompile) return undefined
  try {
    return new WasmWords(memory)
  } catch (error) {
    // What was compiled failed for this memory.
    if (compiled !== undefined) throw error
    mayCompile = false
    return undefined
  }
}
