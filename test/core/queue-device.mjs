// A queue on a device of its own that is in trouble: does what it is told, and prints what it was told, as JSON. It runs in a mount
// namespace of its own, with a tmpfs at FOLDER, which holds the device `image`, mounted at FOLDER/disk (`queue-device.test.ts`).
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openQueue } from 'heddle/node'

const folder = process.env.FOLDER
const disk = join(folder, 'disk')
const path = join(disk, 'queue')
const options = { segmentBytes: 262_144, durability: 'each', members: 4 }

function run(file, ...args) {
  const { status, stdout, stderr } = spawnSync(file, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${file} ${args.join(' ')}: ${stderr}`)
  return stdout
}

/** The reason for which a call is refused. */
function refusal(call) {
  try {
    call()
    return 'none'
  } catch (error) {
    return error.reason ?? `${error}`
  }
}

const itemOf = (n) => new Uint8Array(20_000).fill(n)

/** Sends until that is refused, or so many; which ones were sent, and why not the next one. */
function send(producer, from, most) {
  let sent = from
  let why = 'none'
  while (why === 'none' && sent < from + most) {
    let said
    why = refusal(() => {
      said = producer.trySend(itemOf(sent))
    })
    if (said === 'full') why = said
    if (why === 'none') sent++
  }
  return { sent, why }
}

/** All that comes: the numbers of the first and of the one behind the last, where they are whole and follow each other. */
function received(at) {
  const queue = openQueue(at, options)
  const consumer = queue.consumer({ acknowledge: 'manual' })
  const items = []
  for (let next = consumer.tryReceive(); next !== undefined; next = consumer.tryReceive()) {
    const whole = next.item.length === 20_000 && next.item.every((byte) => byte === next.item[0])
    items.push(whole ? next.item[0] : -1)
  }
  const inOrder = items.every((item, i) => item === ((items[0] + i) & 255))
  const found = { lost: queue.recovered?.lost, missed: consumer.lost, count: inOrder ? items.length : items }
  queue.close()
  return found
}

/** Lets the device end where this byte of a file lies; what this returns undoes it. */
function cut(file, byte) {
  const image = join(folder, 'room/image')
  const { size } = statSync(image)
  const { blksize } = statSync(file)
  const extents = run('filefrag', '-v', `-b${blksize}`, file).matchAll(/^ *\d+: *(\d+)\.\. *(\d+): *(\d+)\.\./gm)
  const block = Math.floor(byte / blksize)
  const [, from, , physical] = [...extents].find(([, first, last]) => first <= block && block <= last)
  const device = run('losetup', '-j', image).split(':')[0]
  const end = (bytes) => {
    truncateSync(image, bytes)
    run('losetup', '--set-capacity', device)
  }
  end((Number(physical) + block - Number(from)) * blksize)
  return () => end(size)
}

/** What is on the device at this moment is what a power failure would leave: mounts a copy of it. */
function powerFailed(name) {
  const place = join(folder, name)
  mkdirSync(place)
  run('mount', '-t', 'tmpfs', 'none', place)
  run('cp', '--sparse=always', join(folder, 'room/image'), join(place, 'image'))
  run('truncate', '-s', process.env.DISK, join(place, 'image'))
  return () => {
    mkdirSync(join(place, 'disk'))
    run('mount', '-o', 'loop', join(place, 'image'), join(place, 'disk'))
    return received(join(place, 'disk/queue'))
  }
}

const scenarios = {
  /**
   * The device ends in the middle of a file, which the file system does not know: what is written back behind that is refused. (A
   * device that has no room will not do: a loop device takes what it has written by halves for written.)
   */
  refused() {
    // One file, so that it is not the next one that cannot be made.
    const queue = openQueue(path, { ...options, segmentBytes: 2 ** 24 })
    const producer = queue.producer()
    const some = send(producer, 0, 20)
    const mend = cut(join(path, '0000000001.segment'), 40 * 20_000)
    const { sent, why } = send(producer, some.sent, 1000)
    const consumer = queue.consumer({ acknowledge: 'manual' })
    const first = consumer.tryReceive()?.item[0]
    const then = [
      () => producer.trySend(itemOf(0)),
      () => producer.sync(),
      () => queue.sync(),
      () => consumer.sync(),
      () => queue.close(),
      () => openQueue(path, options),
    ].map(refusal)
    const copy = powerFailed('at-failure')
    mend()
    const anew = received(path)
    const goingOn = openQueue(path, options)
    const more = send(goingOn.producer(), anew.count, 20)
    const later = powerFailed('later')
    goingOn.close()
    return { sent, why, first, then, copy: copy(), anew, more, later: later() }
  },

  /** The file system gives up, and may not be written from now on. */
  readOnly() {
    const queue = openQueue(path, options)
    const producer = queue.producer()
    const consumer = queue.consumer({ acknowledge: 'manual' })
    const { sent } = send(producer, 0, 30)
    run('sync', '-f', disk)
    run('mount', '-o', 'remount,abort', disk)
    const { why } = send(producer, sent, 1000)
    const first = consumer.tryReceive()?.item[0]
    consumer.acknowledge()
    const then = [() => queue.sync(), () => consumer.sync(), () => queue.close(), () => openQueue(path, options)].map(refusal)
    return { sent, why, first, then, anew: powerFailed('later')() }
  },

  /** The file system is taken away from its place while the queue is open: the queue stays where it is. */
  unmounted() {
    const queue = openQueue(path, options)
    const producer = queue.producer()
    const before = send(producer, 0, 20)
    run('umount', '--lazy', disk)
    const after = send(producer, before.sent, 30)
    const inTheWay = existsSync(path)
    const copy = powerFailed('meanwhile')
    queue.close()
    run('mount', '-o', 'loop', join(folder, 'room/image'), disk)
    return { sent: after.sent, why: after.why, inTheWay, copy: copy(), anew: received(path) }
  },

  /** The disk is full, of bytes or of files: when a queue is made, and when it goes on. */
  full() {
    const stuff = join(disk, 'stuff')
    mkdirSync(stuff)
    // Of bytes.
    let files = 0
    const fill = (bytes) => {
      for (;;) {
        try {
          writeFileSync(join(stuff, `${files++}`), new Uint8Array(bytes))
        } catch (error) {
          return error.code
        }
      }
    }
    const code = fill(262_144)
    fill(0)
    fill(4096)
    const making = refusal(() => openQueue(path, options))
    const left = existsSync(path) ? readdirSync(path) : []
    rmSync(stuff, { recursive: true })
    const queue = openQueue(path, options)
    const [producer, consumer] = [queue.producer(), queue.consumer()]
    const one = send(producer, 0, 1000)
    const rest = send(producer, one.sent, 1)
    let taken = 0
    while (taken < 20 && consumer.tryReceive()?.item[0] === (taken & 255)) taken++
    consumer.acknowledge()
    const two = send(producer, one.sent, 10)
    const told = queue.metrics()
    queue.close()
    return {
      code,
      making,
      left,
      one: one.why,
      rest: rest.why,
      two,
      taken,
      depth: told.depth,
      anew: received(path),
      sent: two.sent,
    }
  },

  /** A process may not make files as long as that (`ulimit -f`). */
  limited() {
    const making = refusal(() => openQueue(path, { ...options, segmentBytes: 16 * 2 ** 20 }))
    return { making }
  },
}

console.log(JSON.stringify(scenarios[process.argv[2]]()))
