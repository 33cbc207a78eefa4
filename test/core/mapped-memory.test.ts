import { constants, readdirSync, readFileSync, renameSync, statSync, truncateSync, unlinkSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Ring, SharedMemory } from '../../core/index.ts'
import { giveWay, MappedMemory } from '../../core/node-index.ts'
import { memoryContract } from './memory-contract.ts'
import { canMap, endPeers, newFiles, type Peer, startProcess, startWorker } from './peers.ts'

describe.runIf(canMap)('mapped memory', () => {
  const newFile = newFiles()
  let worker: Peer
  let child: Peer
  beforeAll(async () => {
    ;[worker, child] = await Promise.all([startWorker(), startProcess()])
  })
  afterAll(endPeers)

  memoryContract('MappedMemory', (words, body) => {
    const memory = MappedMemory.create(newFile(), { words })
    try {
      body(memory)
    } finally {
      memory.close()
    }
  })
  memoryContract('MappedMemory on the buffer of another', (words, body) => {
    const owner = MappedMemory.create(newFile(), { words, wordsMax: 5000 })
    const memory = MappedMemory.from(owner.share())
    owner.close()
    try {
      body(memory)
    } finally {
      memory.close()
    }
  })

  memoryContract('MappedMemory without WebAssembly', (words, body) => {
    const owner = MappedMemory.create(newFile(), { words, wordsMax: 5000 })
    const memory = MappedMemory.from({ ...owner.share(), wasm: undefined })
    owner.close()
    try {
      body(memory)
    } finally {
      memory.close()
    }
  })

  it('is shared by all who open the file', () => {
    const path = newFile()
    const one = MappedMemory.create(path, { words: 4 })
    const two = MappedMemory.open(path)
    const three = MappedMemory.openOrCreate(path, { words: 4 })
    for (const memory of [one, two, three]) expect(memory.add(3, 5)).toBe(5 * [one, two, three].indexOf(memory))
    expect([one.load(3), two.load(3), three.load(3)]).toEqual([15, 15, 15])
    expect([one.words, two.words, three.words]).toEqual([4, 4, 4])
    for (const memory of [one, two, three]) memory.close()
  })

  it('is kept in the file', () => {
    const path = newFile()
    const memory = MappedMemory.create(path, { words: 3 })
    memory.store(0, 0x01020304)
    memory.writeBytes(4, Uint8Array.of(5, 6, 7, 8, 9))
    memory.durability.flush(0, 12)
    memory.close()
    expect([...readFileSync(path).subarray(65536)]).toEqual([4, 3, 2, 1, 5, 6, 7, 8, 9, 0, 0, 0])
    const again = MappedMemory.open(path)
    expect([again.load(0), again.load(1)]).toEqual([0x01020304, 0x08070605])
    again.close()
  })

  it('has a buffer whose first byte is the first byte of the memory', () => {
    const memory = MappedMemory.create(newFile(), { words: 64 })
    expect(memory.buffer).toBeInstanceOf(SharedArrayBuffer)
    expect([memory.buffer.byteLength, memory.byteOffset]).toEqual([256, 0])
    memory.store(5, 6)
    expect(new SharedMemory(memory.buffer).load(5)).toBe(6)
    memory.close()
  })

  it('is the same where there is no WebAssembly, or there are no addresses for it', async () => {
    const path = newFile()
    const memory = MappedMemory.create(path, { words: 20_000, wordsMax: 30_000 })
    const [jitless, crowded] = await Promise.all([startProcess([process.execPath, '--jitless']), startProcess()])
    // Less than what a `WebAssembly.Memory` takes.
    await crowded.ask('leaveAddresses', 2 ** 32)
    const peers = [worker, child, jitless, crowded]
    await Promise.all([worker.ask('from', memory.share()), ...peers.slice(1).map((peer) => peer.ask('open', path))])
    expect(await Promise.all(peers.map((peer) => peer.ask('hasWasm')))).toEqual([true, true, false, false])
    await Promise.all(peers.map((peer) => peer.ask('add', 19_999, 5000)))
    expect(memory.load(19_999)).toBe(20_000)
    memory.close()
  })

  it('lets others run when it pauses', () => {
    const memory = MappedMemory.create(newFile(), { words: 1 })
    expect([memory.giveWay?.(), giveWay()]).toEqual([undefined, undefined])
    const own = memory.giveWay
    let given = 0
    memory.giveWay = () => {
      given++
      own?.()
    }
    for (let pause = 0; pause < 8; pause++) memory.pause()
    expect([given, own]).toEqual([8, expect.any(Function)])
    memory.close()
  })

  it('carries structures', () => {
    const path = newFile()
    const options = { capacity: 4, itemBytes: 4 }
    const writer = MappedMemory.create(path, { words: Ring.words(options) })
    const reader = MappedMemory.open(path)
    const sink = Ring.create(writer, options).sink()
    const source = Ring.attach(reader).source()
    expect(sink.tryPush(Uint8Array.of(1, 2, 3, 4))).toBe(true)
    const item = new Uint8Array(4)
    expect([source.tryPop(item), ...item]).toEqual([true, 1, 2, 3, 4])
    writer.close()
    reader.close()
  })

  it('belongs to its owner alone, unless told otherwise', () => {
    const paths = [newFile(), newFile()]
    MappedMemory.create(paths[0], { words: 1 }).close()
    MappedMemory.create(paths[1], { words: 1, mode: 0o640 }).close()
    const umask = process.umask()
    expect(paths.map((path) => statSync(path).mode & 0o777)).toEqual([0o600 & ~umask, 0o640 & ~umask])
  })

  it('does not hand its file to programs that this one starts', () => {
    const path = newFile()
    const memory = MappedMemory.create(path, { words: 1 })
    const same = (fd: string): boolean => {
      try {
        return statSync(`/proc/self/fd/${fd}`).ino === statSync(path).ino
      } catch {
        return false
      }
    }
    const flags = readdirSync('/proc/self/fd')
      .filter(same)
      .map((fd) => Number.parseInt(/flags:\s*(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))![1], 8))
    const closeOnExec = 0o2000000
    expect(flags.map((all) => all & (closeOnExec | constants.O_RDWR))).toEqual([closeOnExec | constants.O_RDWR])
    memory.close()
    expect(readdirSync('/proc/self/fd').filter(same)).toEqual([])
  })

  it('refuses options that mean nothing', () => {
    const path = newFile()
    for (const options of [
      { words: 0 },
      { words: 1.5 },
      { words: Number.NaN },
      { words: 2, wordsMax: 1 },
      { words: 1, wordsMax: 2 ** 32 },
      { words: 1, mode: 0o1000 },
      { words: 1, seats: 0 },
      { words: 1, seats: 1025 },
    ]) {
      expect(() => MappedMemory.create(path, options), JSON.stringify(options)).toThrow(RangeError)
      expect(() => MappedMemory.openOrCreate(path, options), JSON.stringify(options)).toThrow(RangeError)
    }
    expect(() => MappedMemory.open(path)).toThrow('no such file')
  })

  describe('flush', () => {
    it('takes any range of bytes, and no other', () => {
      const memory = MappedMemory.create(newFile(), { words: 5000 })
      const { flush } = memory.durability
      for (const [byte, length] of [
        [0, 20000],
        [1, 2],
        [4095, 2],
        [20000, 0],
        [8192, 4096],
      ])
        flush(byte, length)
      for (const [byte, length] of [
        [-1, 1],
        [0, 20001],
        [20001, 0],
        [0, -1],
        [0.5, 1],
        [0, 1.5],
        [Number.NaN, 1],
        [0, Number.NaN],
      ]) {
        expect(() => flush(byte, length), `${length} from ${byte}`).toThrow(RangeError)
      }
      memory.close()
    })
  })

  describe('growth', () => {
    it('happens in place, and adds zeros', () => {
      const path = newFile()
      const memory = MappedMemory.create(path, { words: 1, wordsMax: 100_000 })
      const { buffer } = memory
      memory.store(0, 7)
      for (const words of [2, 1024, 1025, 100_000]) {
        memory.grow(words)
        expect([memory.words, memory.buffer.byteLength, statSync(path).size]).toEqual([words, 4 * words, 65536 + 4 * words])
        expect([memory.load(0), memory.load(words - 1), memory.buffer === buffer]).toEqual([7, words === 1 ? 7 : 0, true])
        memory.store(words - 1, words)
        expect(() => memory.load(words)).toThrow(RangeError)
      }
      memory.close()
      const again = MappedMemory.open(path)
      expect([again.words, again.wordsMax, again.load(1023), again.load(99_999)]).toEqual([100_000, 100_000, 1024, 100_000])
      again.close()
    })

    it('to less than there is does nothing', () => {
      const memory = MappedMemory.create(newFile(), { words: 10 })
      memory.grow(3)
      expect(memory.words).toBe(10)
      memory.close()
    })

    it('ends at the maximum, and says so', () => {
      const path = newFile()
      const memory = MappedMemory.create(path, { words: 1, wordsMax: 10 })
      const message = `MappedMemory: ${path}: words: expected an integer from 1 to 10, found 11`
      expect(() => memory.grow(11)).toThrow(new RangeError(message))
      expect(() => MappedMemory.openOrCreate(path, { words: 11 })).toThrow(new RangeError(message))
      for (const words of [0, -1, 1.5, Number.NaN]) expect(() => memory.grow(words)).toThrow(RangeError)
      expect(memory.words).toBe(1)
      expect(memory.participants()).toHaveLength(1)
      memory.close()
    })

    it('by others is noticed by who uses what they added, by whatever operation', () => {
      const path = newFile()
      const grower = MappedMemory.create(path, { words: 1, wordsMax: 1000 })
      const uses: readonly ((memory: MappedMemory) => unknown)[] = [
        (memory) => memory.load(100),
        (memory) => memory.store(100, 0),
        (memory) => memory.add(100, 0),
        (memory) => memory.compareExchange(100, 0, 0),
        (memory) => memory.read(100),
        (memory) => memory.write(100, 0),
        (memory) => memory.notify(100),
        (memory) => memory.wait(100, 1),
        (memory) => memory.readBytes(401, new Uint8Array(1)),
        (memory) => memory.writeBytes(399, new Uint8Array(9)),
        (memory) => memory.guessBytes(401, new Uint8Array(1)),
        (memory) => memory.durability.flush(400, 8),
        (memory) => memory.grow(1),
      ]
      const others = uses.map(() => MappedMemory.open(path))
      grower.grow(102)
      others.forEach((other, i) => {
        expect(other.words).toBe(1)
        uses[i](other)
        expect(other.words).toBe(102)
        expect(() => other.load(102)).toThrow(RangeError)
        other.close()
      })
      grower.close()
    })

    it('goes on beneath those who write', async () => {
      const path = newFile()
      const memory = MappedMemory.create(path, { words: 1, wordsMax: 1 << 20 })
      await Promise.all([worker.ask('from', memory.share()), child.ask('open', path)])
      const added = Promise.all([worker.ask('add', 0, 400_000), child.ask('add', 0, 400_000)])
      for (let words = 2; words <= 1 << 20; words += 8191) {
        memory.grow(words)
        memory.store(words - 1, words)
        memory.add(0, 1)
      }
      await added
      expect(memory.load(0)).toBe(800_000 + 129)
      expect(await child.ask('call', 'load', 8192)).toBe(8193)
      expect(await worker.ask('call', 'load', 8192)).toBe(8193)
      memory.close()
    })

    it('of one file by several at once adds up to the most that was asked for', async () => {
      const path = newFile()
      const memory = MappedMemory.create(path, { words: 1, wordsMax: 3000 })
      const peers = [child, await startProcess()]
      await Promise.all(peers.map((peer) => peer.ask('open', path)))
      const answers = peers.flatMap((peer, i) =>
        Array.from({ length: 60 }, (_, step) => peer.ask('call', 'grow', 2 + 10 * step + i)),
      )
      await Promise.all(answers)
      memory.load(592)
      expect([memory.words, statSync(path).size]).toEqual([593, 65536 + 4 * 593])
      expect(await Promise.all(peers.map((peer) => peer.ask('call', 'load', 592)))).toEqual([0, 0])
      memory.close()
    })

    it('notices that somebody has cut the file', () => {
      const path = newFile()
      const memory = MappedMemory.create(path, { words: 5000, wordsMax: 20_000 })
      const other = MappedMemory.open(path)
      truncateSync(path, 65536 + 4 * 4999)
      expect(() => memory.grow(6000)).toThrow(
        `MappedMemory: ${path}: has 85532 bytes, and 85536 belong to it: somebody has cut it`,
      )
      expect(memory.words).toBe(5000)
      truncateSync(path, 65536 + 4 * 5000)
      memory.grow(6000)
      truncateSync(path, 65536 + 4 * 5000)
      expect(() => other.load(5000)).toThrow('somebody has cut it')
      expect(() => MappedMemory.open(path)).toThrow('somebody has cut it')
      memory.close()
      other.close()
    })
  })

  describe('closing', () => {
    it('makes every operation throw, and may be done twice', () => {
      const path = newFile()
      const memory = MappedMemory.create(path, { words: 8, wordsMax: 16 })
      const { liveness, durability } = memory
      memory.close()
      memory.close()
      const uses: Readonly<Record<string, () => unknown>> = {
        load: () => memory.load(0),
        store: () => memory.store(0, 1),
        add: () => memory.add(0, 1),
        sub: () => memory.sub(0, 1),
        and: () => memory.and(0, 1),
        or: () => memory.or(0, 1),
        xor: () => memory.xor(0, 1),
        exchange: () => memory.exchange(0, 1),
        compareExchange: () => memory.compareExchange(0, 0, 1),
        wait: () => memory.wait(0, 0),
        notify: () => memory.notify(0),
        read: () => memory.read(0),
        write: () => memory.write(0, 1),
        readBytes: () => memory.readBytes(0, new Uint8Array(1)),
        writeBytes: () => memory.writeBytes(0, new Uint8Array(1)),
        guessBytes: () => memory.guessBytes(0, new Uint8Array(1)),
        flush: () => durability.flush(0, 0),
        alive: () => liveness.alive(liveness.self),
        participants: () => memory.participants(),
        grow: () => memory.grow(1),
        share: () => memory.share(),
      }
      for (const [name, use] of Object.entries(uses)) {
        expect(use, name).toThrow(`MappedMemory: ${path}: this memory was closed; open the file again`)
      }
      expect(memory.words).toBe(0)
      const again = MappedMemory.open(path)
      expect(again.load(0)).toBe(0)
      again.close()
    })

    it('leaves zeros to who still holds the buffer, and keeps the file from them', () => {
      const path = newFile()
      const memory = MappedMemory.create(path, { words: 2000, wordsMax: 4000 })
      const words = new Int32Array(memory.buffer)
      const more = new Int32Array(memory.share().wasm!.buffer)
      words.fill(7)
      expect([more[0], more[1999]]).toEqual([7, 7])
      memory.close()
      for (const held of [words, more]) {
        expect(held.every((word) => word === 0)).toBe(true)
        held.fill(8)
      }
      const again = MappedMemory.open(path)
      expect([again.load(0), again.load(1999)]).toEqual([7, 7])
      again.close()
    })

    it('unmaps the file when the last thread that shares it has closed it', async () => {
      const memory = MappedMemory.create(newFile(), { words: 1 })
      const words = new Int32Array(memory.buffer)
      const share = memory.share()
      await worker.ask('from', share)
      memory.store(0, 5)
      memory.close()
      expect(words[0]).toBe(5)
      expect(await worker.ask('call', 'add', 0, 1)).toBe(5)
      expect(words[0]).toBe(6)
      await worker.ask('call', 'close')
      expect(words[0]).toBe(0)
      expect(() => MappedMemory.from(share)).toThrow('was closed before this thread took it over')
    })

    it('happens at the end of a block, where the language can do that', () => {
      const memory = MappedMemory.create(newFile(), { words: 1 })
      memory[Symbol.dispose]()
      expect(() => memory.load(0)).toThrow('closed')
    })

    it('concerns nobody else who has the file open', () => {
      const path = newFile()
      const one = MappedMemory.create(path, { words: 1 })
      const two = MappedMemory.open(path)
      one.close()
      two.store(0, 1)
      expect(two.load(0)).toBe(1)
      two.close()
    })
  })

  describe('sharing', () => {
    it('gives another thread the same buffer and a seat of its own', async () => {
      const memory = MappedMemory.create(newFile(), { words: 2, wordsMax: 9 })
      const participant = (await worker.ask('from', memory.share())) as number
      expect(participant).not.toBe(memory.liveness.self)
      expect(memory.liveness.alive(participant)).toBe(true)
      await worker.ask('add', 1, 3)
      await worker.ask('call', 'grow', 9)
      expect([memory.load(1), memory.buffer.byteLength, memory.words]).toEqual([3, 36, 2])
      memory.store(8, 4)
      expect(await worker.ask('call', 'load', 8)).toBe(4)
      memory.close()
    })

    it('refuses another file that has the path now, and counts nobody for it', () => {
      const [path, other] = [newFile(), newFile()]
      const memory = MappedMemory.create(path, { words: 1 })
      const words = new Int32Array(memory.buffer)
      const share = memory.share()
      MappedMemory.create(other, { words: 1 }).close()
      renameSync(other, path)
      expect(() => MappedMemory.from(share)).toThrow(`MappedMemory: ${path}: is another file than the one that was shared`)
      unlinkSync(path)
      expect(() => MappedMemory.from(share)).toThrow('no such file')
      memory.store(0, 1)
      memory.close()
      expect(words[0]).toBe(0)
    })
  })
})
