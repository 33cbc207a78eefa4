import { libc } from './node-libc.ts'
import { type MappedFile, seatsAt } from './node-mapped-file.ts'
import { MappedFileError, onFile } from './node-mapped-file-error.ts'

/**
 * Who takes part: each thread that stands on a mapped file has a seat in it, and holds a lock on one byte of the seat.
 *
 * The lock belongs to the open file description of that thread's own descriptor (`F_OFD_SETLK`), so that it is gone when
 * the process dies in whatever way, and when a worker ends or is terminated, for Node closes what a worker has opened
 * (`trackUnmanagedFds`, which is the default).
 * Nothing has to be written at death, and nothing that a reader believes can be forged by a process number that comes again.
 *
 * ```
 *   word of a seat
 *   0    state      2 * incarnation, + 1 while somebody sits here
 *   1    process    number of the process, for people
 *   2,3  since      when it sat down, in milliseconds since 1970, low word first, for people
 * ```
 *
 * A participant is the number `incarnation * seats + seat`. Incarnations of a seat only rise and never wrap: a seat whose
 * incarnations are used up stays empty. There are 2^29 participants in the life of a file: one each second for 17 years.
 */
export const participantsMax: number = 2 ** 29

/** The most seats that a file can have. */
export const seatsMax = 1024
const seatWords = 8
const stateAt = 0
const processAt = 1
const sinceAt = 2

/** Somebody who takes part in a mapped file, as people read it. */
export interface Participant {
  readonly participant: number
  /** Number of its process; worker threads have that of theirs. */
  readonly process: number
  readonly since: Date
}

export class Participants {
  /** The number of this thread. */
  readonly self: number
  private readonly file: MappedFile
  private readonly control: Int32Array

  /**
   * Takes a seat: a free one, or that of somebody who died, which of all who want it exactly one gets.
   *
   * @param control the control part of the file
   * @throws MappedFileError when all seats are taken by the living
   */
  constructor(file: MappedFile, control: Int32Array) {
    this.file = file
    this.control = control
    this.self = this.sitDown()
  }

  /**
   * Whether this participant is alive. False is final, for everybody. Costs a system call, unless somebody has found out
   * before.
   *
   * @throws RangeError for a number that nobody has had
   */
  alive(participant: number): boolean {
    const { seats } = this.file.header
    const seat = participant % seats
    const incarnation = Math.floor(participant / seats)
    const taken = 2 * incarnation + 1
    const known = Number.isInteger(participant) && incarnation > 0
    const state = known ? Atomics.load(this.control, this.wordOf(seat)) : 0
    if (!known || state < taken - 1) {
      throw new RangeError(`liveness: expected a participant of this memory, found ${participant}`)
    }
    if (state !== taken) return false
    if (participant === this.self || onFile(this.file.path, () => libc().isLocked(this.file.fd, this.byteOf(seat)))) return true
    // The owner holds its lock as long as the state says so: it is dead. Somebody else may sit down here at any time, and
    // would be taken for it as long as the state is the old one; so the state changes before anybody is told.
    Atomics.compareExchange(this.control, this.wordOf(seat), taken, taken - 1)
    return false
  }

  /** All who live. */
  living(): readonly Participant[] {
    const { seats } = this.file.header
    const living: Participant[] = []
    for (let seat = 0; seat < seats; seat++) {
      const word = this.wordOf(seat)
      const state = Atomics.load(this.control, word)
      const participant = (state >> 1) * seats + seat
      if ((state & 1) === 0 || !this.alive(participant)) continue
      const [low, high] = [Atomics.load(this.control, word + sinceAt), Atomics.load(this.control, word + sinceAt + 1)]
      const since = new Date((low >>> 0) + 2 ** 32 * high)
      living.push({ participant, process: Atomics.load(this.control, word + processAt), since })
    }
    return living
  }

  /** Gives the seat back. From now on this participant counts as dead. */
  standUp(): void {
    const seat = this.self % this.file.header.seats
    Atomics.sub(this.control, this.wordOf(seat) + stateAt, 1)
    libc().unlock(this.file.fd, this.byteOf(seat))
  }

  private sitDown(): number {
    const { path, fd, header } = this.file
    const last = Math.floor(participantsMax / header.seats) - 1
    let exhausted = 0
    for (let seat = 0; seat < header.seats; seat++) {
      const word = this.wordOf(seat)
      if (!libc().lock(fd, this.byteOf(seat))) continue
      // This seat is ours alone: its last owner is dead or has left, and nobody else gets the lock.
      const incarnation = (Atomics.load(this.control, word + stateAt) >> 1) + 1
      if (incarnation > last) {
        exhausted++
        libc().unlock(fd, this.byteOf(seat))
        continue
      }
      const now = Date.now()
      Atomics.store(this.control, word + processAt, process.pid)
      Atomics.store(this.control, word + sinceAt, now)
      Atomics.store(this.control, word + sinceAt + 1, Math.floor(now / 2 ** 32))
      Atomics.store(this.control, word + stateAt, 2 * incarnation + 1)
      return incarnation * header.seats + seat
    }
    throw new MappedFileError(
      path,
      'no-seat',
      exhausted === 0
        ? `all its ${header.seats} seats are taken; close a memory elsewhere, or create the file with more seats`
        : `${exhausted} of its ${header.seats} seats are worn out and the others taken; create a new file`,
    )
  }

  private wordOf(seat: number): number {
    return seatsAt + seatWords * seat
  }

  private byteOf(seat: number): number {
    return 4 * this.wordOf(seat)
  }
}
