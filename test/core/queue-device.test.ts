import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { canMap } from './peers.ts'

/**
 * A queue on a device that is in trouble: a real file system (ext4) on a loop device, whose bytes lie in a tmpfs. A copy of these bytes is what a power failure would leave at that moment.
 *
 * All is mounted in a mount namespace that ends with its one process, however that ends: then the kernel unmounts it, and frees the
 * loop device with the last mount. Nothing can be left behind.
 */

const folder = mkdtempSync(join(tmpdir(), 'heddle-queue-device-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const script = fileURLToPath(new URL('queue-device.mjs', import.meta.url))
const mounts = `set -e
mount -t tmpfs none "$FOLDER"
mkdir "$FOLDER/room" "$FOLDER/disk"
mount -t tmpfs -o "size=$ROOM" none "$FOLDER/room"
truncate -s "$DISK" "$FOLDER/room/image"
mkfs.ext4 -q -F -b 4096 $MAKE "$FOLDER/room/image"
mount -o loop "$FOLDER/room/image" "$FOLDER/disk"`

interface Device {
  /** How much the tmpfs has room for, and how long the device claims to be. */
  readonly room: string
  readonly disk: string
  /** More options of `mkfs.ext4`. */
  readonly make?: string
}

function inNamespace({ room, disk, make = '' }: Device, command: string) {
  const env = { ...process.env, FOLDER: folder, ROOM: room, DISK: disk, MAKE: make, NODE: process.execPath, SCRIPT: script }
  return spawnSync('unshare', ['--mount', 'bash', '-c', `${mounts}\n${command}`], { env, encoding: 'utf8' })
}

function scenario(name: string, device: Device, prefix = ''): Record<string, unknown> {
  const { stdout, stderr, status, signal } = inNamespace(device, `${prefix} exec "$NODE" "$SCRIPT" ${name}`)
  if (status !== 0) throw new Error(`${name} ended with ${signal ?? status}: ${stderr}`)
  return JSON.parse(stdout)
}

const tried = canMap ? inNamespace({ room: '40m', disk: '32m' }, 'true') : { status: 1, stderr: 'no mapped files here' }
const why = tried.status === 0 ? '' : (tried.stderr ?? '').trim() || 'no unshare'
const itMounted = it.skipIf(why !== '')
const title = (what: string): string => (why === '' ? what : `${what} (skipped, for nothing can be mounted: ${why})`)

describe('a queue on a device', () => {
  itMounted(
    title('that refuses what is written back: says so until it is opened anew, and has kept all that it had said to be there'),
    () => {
      const found = scenario('refused', { room: '100m', disk: '64m' })
      const { sent } = found as { sent: number }
      expect(sent).toBeGreaterThan(20)
      expect(found).toMatchObject({ why: 'failed', first: 0, then: Array(6).fill('failed') })
      // The item that was refused may be there.
      const { copy, anew, more } = found as Record<string, { count: number; sent: number }>
      expect([sent, sent + 1]).toContain(copy?.count)
      expect(anew).toEqual({ lost: 0, missed: 0, count: sent + 1 })
      expect(more).toEqual({ sent: sent + 21, why: 'none' })
      // It is the very file that was refused, whose blocks are brought to the disk now.
      expect(found.later).toEqual({ lost: 0, missed: 0, count: sent + 21 })
    },
  )

  itMounted(
    title('whose file system gives up: says so, can be read as far as it is open, and goes on when it is mounted anew'),
    () => {
      const found = scenario('readOnly', { room: '40m', disk: '32m' })
      expect(found).toMatchObject({ sent: 30, why: 'failed', first: 0, then: ['failed', 'failed', 'failed', 'forbidden'] })
      const { anew } = found as Record<string, { count: number }>
      expect([30, 31]).toContain(anew?.count)
    },
  )

  itMounted(title('that is taken away from its place: stays on it, and nothing is lost'), () => {
    const found = scenario('unmounted', { room: '40m', disk: '32m' })
    expect(found).toMatchObject({ sent: 50, why: 'none', inTheWay: false, copy: { count: 50 } })
    expect(found.anew).toEqual({ lost: 0, missed: 0, count: 50 })
  })

  itMounted.each([
    ['bytes', '4m', ''],
    ['files', '24m', '-N 24'],
  ])(title('that is full of %s: cannot be made, is full, and goes on when there is room'), (_, disk, make) => {
    const found = scenario('full', { room: '40m', disk, make: `-O ^has_journal ${make}` })
    expect(found).toMatchObject({ code: 'ENOSPC', making: 'full', left: [], one: 'full', rest: 'full', taken: 20 })
    const { two, sent, taken, depth, anew } = found as Record<string, never> & { two: { sent: number }; sent: number }
    expect(two).toMatchObject({ why: 'none' })
    expect(depth).toBe(sent - taken)
    expect(anew).toEqual({ lost: 0, missed: 0, count: sent - taken })
  })

  itMounted(title('on which a process may not make files so long: is not made'), () => {
    expect(scenario('limited', { room: '40m', disk: '32m' }, 'ulimit -f 8192;')).toEqual({ making: 'full' })
  })
})
