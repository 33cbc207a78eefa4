import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { NodeFolder } from '../../core/node-folder.ts'
import { MappedFileError } from '../../core/node-mapped-file-error.ts'
import { openQueue } from '../../core/node-queue.ts'
import { bytesCodec, Queue } from '../../core/queue.ts'
import { canMap } from './peers.ts'

it.runIf(canMap)('who makes a queue while another one makes it, and clears away the draft, has that one', () => {
  const path = mkdtempSync(join(tmpdir(), 'heddle-queue-together-'))
  try {
    const options = { segmentBytes: 4096, members: 4 }
    let other: Queue<Uint8Array> | undefined
    class LateFolder extends NodeFolder {
      // The other one has brought the queue in order before this file, which nobody knows, gets its name: so the name is gone.
      override create(name: string): never {
        other = openQueue(path, options)
        throw new MappedFileError(join(path, name), 'missing', 'no such file or directory')
      }
    }
    using queue = Queue.open(new LateFolder(path, 4), { ...options, codec: bytesCodec, draft: 'late' })
    other?.producer().send(Uint8Array.of(7))
    expect(queue.recovered).toBeUndefined()
    expect([...(queue.consumer().tryReceive()?.item ?? [])]).toEqual([7])
    other?.close()
  } finally {
    rmSync(path, { recursive: true })
  }
})
