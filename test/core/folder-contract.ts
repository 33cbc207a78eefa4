import { describe, expect, it } from 'vitest'
import type { FileMemory, Folder } from '../../core/folder.ts'

/** What every `Folder` must do, as vitest tests. The body runs once or several times, each time in a folder that is empty. */
export type FolderRunner = (body: (folder: Folder) => void) => void

/** The names that the suite uses, and how many files it makes in one folder at most. */
export const contractNames: readonly string[] = ['a', 'b', 'c']
export const contractFiles = 3

export function folderContract(name: string, run: FolderRunner): void {
  const check = (title: string, body: (folder: Folder) => void) => it(title, () => run(body))
  const sorted = (folder: Folder): string[] => [...folder.list()].sort()

  /** Makes a file that can be told from others. */
  const make = (folder: Folder, file: string, content: number): void => {
    const memory = folder.create(file, 8)
    memory.store(0, content)
    memory.close()
  }
  const within = <T>(folder: Folder, file: string, body: (memory: FileMemory) => T): T => {
    const memory = folder.open(file)
    try {
      return body(memory)
    } finally {
      memory.close()
    }
  }
  const contentOf = (folder: Folder, file: string): number => within(folder, file, (memory) => memory.load(0))
  const reason = (call: () => unknown): string => {
    try {
      call()
    } catch (error) {
      return (error as { reason: string }).reason
    }
    return 'none'
  }

  describe(`${name}: the contract of Folder`, () => {
    check('is empty at first, and lists what was made', (folder) => {
      const before = sorted(folder)
      make(folder, 'b', 1)
      make(folder, 'a', 2)
      expect([before, sorted(folder)]).toEqual([[], ['a', 'b']])
    })

    check('makes files that are all zero, and opens what is in them', (folder) => {
      const memory = folder.create('a', 8)
      const { words } = memory
      const zeros = Array.from({ length: 8 }, (_, word) => memory.load(word))
      memory.store(7, 5)
      const found = within(folder, 'a', (again) => [again.words, again.load(7), again.load(0)])
      memory.close()
      expect([words, zeros, found]).toEqual([8, Array(8).fill(0), [8, 5, 0]])
    })

    check('keeps files apart', (folder) => {
      make(folder, 'a', 1)
      make(folder, 'b', 2)
      expect([contentOf(folder, 'a'), contentOf(folder, 'b')]).toEqual([1, 2])
    })

    check('refuses an index beyond the end of a file', (folder) => {
      make(folder, 'b', 1)
      const memory = folder.create('a', 8)
      for (const call of [
        () => memory.load(8),
        () => memory.write(-1, 0),
        () => memory.readBytes(29, new Uint8Array(4)),
        () => memory.durability.flush(28, 8),
      ]) {
        expect(call).toThrow(RangeError)
      }
      memory.close()
    })

    check('refuses what stands there, and what does not', (folder) => {
      make(folder, 'a', 1)
      const reasons = [
        reason(() => folder.create('a', 8)),
        reason(() => folder.open('b')),
        reason(() => folder.remove('b')),
        reason(() => folder.link('b', 'c')),
        reason(() => folder.link('a', 'a')),
        reason(() => folder.rename('b', 'c')),
      ]
      expect(reasons).toEqual(['exists', 'missing', 'missing', 'missing', 'exists', 'missing'])
      expect([sorted(folder), contentOf(folder, 'a')]).toEqual([['a'], 1])
    })

    check('gives a file a second name', (folder) => {
      make(folder, 'a', 1)
      folder.link('a', 'b')
      within(folder, 'b', (memory) => memory.store(0, 2))
      const linked = [sorted(folder), contentOf(folder, 'a')]
      folder.remove('a')
      expect([linked, sorted(folder), contentOf(folder, 'b')]).toEqual([[['a', 'b'], 2], ['b'], 2])
    })

    check('gives a file another name, also one that is taken', (folder) => {
      make(folder, 'a', 1)
      make(folder, 'b', 2)
      folder.rename('a', 'c')
      const moved = [sorted(folder), contentOf(folder, 'c')]
      folder.rename('b', 'c')
      expect([moved, sorted(folder), contentOf(folder, 'c')]).toEqual([[['b', 'c'], 1], ['c'], 2])
    })

    check('lets a name be used again, for another file', (folder) => {
      make(folder, 'a', 1)
      folder.remove('a')
      make(folder, 'a', 0)
      expect([sorted(folder), contentOf(folder, 'a')]).toEqual([['a'], 0])
    })

    check('keeps a file that is open when its name goes', (folder) => {
      make(folder, 'a', 1)
      const memory = folder.open('a')
      folder.remove('a')
      memory.store(1, 2)
      const found = [memory.load(0), memory.load(1)]
      memory.close()
      expect([found, sorted(folder)]).toEqual([[1, 2], []])
    })

    check('flushes files and names', (folder) => {
      make(folder, 'a', 1)
      within(folder, 'a', (memory) => memory.durability.flush(0, 4 * memory.words))
      folder.sync()
      expect(contentOf(folder, 'a')).toBe(1)
    })

    check('says whether a file is open besides', (folder) => {
      const one = folder.create('a', 8)
      const alone = one.isAlone
      const other = folder.open('a')
      folder.rename('a', 'b')
      const shared = [one.isAlone, other.isAlone]
      one.close()
      expect([alone, shared, other.isAlone]).toEqual([true, [false, false], true])
      other.close()
      expect(reason(() => other.isAlone)).toBe('closed')
    })

    check('opens a file again that was open, by whatever name', (folder) => {
      make(folder, 'a', 1)
      within(folder, 'a', (memory) => memory.store(1, 2))
      folder.rename('a', 'b')
      make(folder, 'a', 3)
      expect([contentOf(folder, 'a'), within(folder, 'b', (memory) => memory.load(1))]).toEqual([3, 2])
    })

    check('leaves files open that are open when it is closed, and is closed twice', (folder) => {
      const memory = folder.create('a', 8)
      folder.close()
      folder.close()
      memory.store(1, 4)
      memory.durability.flush(0, 32)
      expect([memory.load(1), memory.isAlone]).toEqual([4, true])
      memory.close()
    })

    check('throws when a closed file is used, and closes it twice', (folder) => {
      const memory = folder.create('a', 8)
      memory.close()
      memory.close()
      expect(reason(() => memory.durability.flush(0, 4))).toBe('closed')
      expect(() => memory.load(0)).toThrow()
    })
  })
}
