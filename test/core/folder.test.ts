import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { explore } from '../../checker/explore.ts'
import { guarantee } from '../../checker/guarantee.ts'
import type { Folder } from '../../core/folder.ts'
import { NodeFolder } from '../../core/node-folder.ts'
import type { MappedMemory } from '../../core/node-mapped-memory.ts'
import { SharedMemory } from '../../core/shared-memory.ts'
import type { Program } from '../../model/program.ts'
import { type FolderShape, SimulatedFolder } from '../../model/simulated-folder.ts'
import { contractFiles, contractNames, folderContract } from './folder-contract.ts'
import { canMap } from './peers.ts'

const shape: FolderShape = { names: contractNames, files: contractFiles, words: 8 }
const words = SimulatedFolder.words(shape)

folderContract('SimulatedFolder on SharedMemory', (body) => body(new SimulatedFolder(new SharedMemory(words), shape)))

folderContract('SimulatedFolder in the explorer', (body) => {
  let thrown: unknown
  const thread = (memory: Parameters<Program['threads'][string]>[0]): void => {
    try {
      body(new SimulatedFolder(memory, shape))
    } catch (error) {
      thrown = error
      throw error
    }
  }
  const faults = { crash: 'power' } as const
  const report = explore({ name: 'folder', words, threads: { thread }, faults, recover: () => {} })
  if (report.verdict !== 'holds') throw thrown ?? new Error(report.failure?.message)
})

if (canMap) {
  folderContract('NodeFolder', (body) => {
    const path = mkdtempSync(join(tmpdir(), 'heddle-folder-'))
    try {
      body(new NodeFolder(path))
    } finally {
      rmSync(path, { recursive: true, force: true })
    }
  })
}

describe.runIf(canMap)('a folder of a disk', () => {
  /** Opens a file, or makes it, and says where it is mapped. */
  const mapping = (folder: NodeFolder, name: string): SharedArrayBuffer => {
    const file = (folder.list().includes(name) ? folder.open(name) : folder.create(name, 8)) as MappedMemory
    file.close()
    return file.buffer
  }

  it('keeps as many files mapped as come round, and three where they are new', () => {
    const path = mkdtempSync(join(tmpdir(), 'heddle-folder-'))
    const folder = new NodeFolder(path)
    try {
      const round = (names: string): SharedArrayBuffer[] => [...names].map((name) => mapping(folder, name))
      const isSame = (names: string): boolean[] => {
        const before = round(names)
        return round(names).map((buffer, i) => buffer === before[i])
      }
      round('abcde')
      expect(isSame('cde')).toEqual([true, true, true])
      round('abcde')
      expect(isSame('abcde')).toEqual([true, true, true, true, true])
      // Each that is new makes one that was kept go, until three are left.
      round('fghijk')
      expect(isSame('ijk')).toEqual([true, true, true])
      const before = round('ijk')
      round('lm')
      expect(mapping(folder, 'k')).toBe(before[2])
      expect(mapping(folder, 'i')).not.toBe(before[0])
    } finally {
      folder.close()
      rmSync(path, { recursive: true, force: true })
    }
  })
})

describe('a simulated folder', () => {
  it('is full when all its files have been made', () => {
    const folder = new SimulatedFolder(new SharedMemory(words), shape)
    for (let i = 0; i < contractFiles; i++) {
      folder.create('a', 8)
      folder.remove('a')
    }
    expect(() => folder.create('a', 8)).toThrow(expect.objectContaining({ reason: 'full' }))
    expect(folder.list()).toEqual([])
  })

  it('is full for a file that is too large', () => {
    const folder = new SimulatedFolder(new SharedMemory(words), shape)
    expect(() => folder.create('a', 9)).toThrow(expect.objectContaining({ reason: 'full' }))
  })

  it('knows only the names that it was made for', () => {
    const folder = new SimulatedFolder(new SharedMemory(words), shape)
    expect(() => folder.open('d')).toThrow(RangeError)
  })

  /** A program that works in a folder, and what the folder looks like after each crash. */
  function crashed(crash: 'kill' | 'power', body: (folder: Folder) => void): string[] {
    const found = new Set<string>()
    const program: Program = {
      name: 'folder',
      words,
      setup: (memory) => {
        const folder = new SimulatedFolder(memory, shape)
        folder.create('a', 8).store(0, 1)
      },
      threads: { thread: (memory) => body(new SimulatedFolder(memory, shape)) },
      faults: { crash },
      recover: (memory) => {
        const folder = new SimulatedFolder(memory, shape)
        found.add(
          folder
            .list()
            .map((name) => {
              const file = folder.open(name)
              guarantee('folder/whole', file.words === 8, `a file of ${file.words} words`)
              return `${name}${file.load(0)}`
            })
            .join(''),
        )
      },
    }
    expect(explore(program).verdict).toBe('holds')
    return [...found].sort()
  }

  it.each<['kill' | 'power', string, (folder: Folder) => void, string[]]>([
    ['kill', 'a file is made', (folder) => folder.create('b', 8).store(0, 2), ['a1', 'a1b0', 'a1b2']],
    ['power', 'a file is made', (folder) => folder.create('b', 8).store(0, 2), ['a1', 'a1b0', 'a1b2']],
    ['kill', 'a file is renamed', (folder) => folder.rename('a', 'b'), ['a1', 'a1b1', 'b1']],
    // The name is gone, and the other one has not come: `rename` is no way to be safe here, but `link` and `sync` are.
    ['power', 'a file is renamed', (folder) => folder.rename('a', 'b'), ['', 'a1', 'a1b1', 'b1']],
    [
      'power',
      'a file is linked, and then its first name goes',
      (folder) => {
        folder.link('a', 'b')
        folder.sync()
        folder.remove('a')
      },
      ['a1', 'a1b1', 'b1'],
    ],
    ['power', 'a file is removed', (folder) => folder.remove('a'), ['', 'a1']],
  ])('after a crash (%s) while %s', (crash, _, body, states) => {
    expect(crashed(crash, body)).toEqual(states)
  })
})
