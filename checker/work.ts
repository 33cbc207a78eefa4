import { grown } from './grown.ts'

/**
 * What a search has left to do: a stack of records, each a few numbers about a place of its sequence. What is found on the way to an
 * end goes onto it when that is reached, the deepest place on top, so that all that is found from a record on is done before
 * what lies below. Room that was needed once stays.
 */
export class Work {
  // What was found on the way.
  found = 0
  #shared = 0
  /** How much of the tree each is thought to be, to 1 for the way that goes on. */
  #weights: Int32Array = new Int32Array(64)
  #weight = 0
  #places: Int32Array = new Int32Array(64)
  /** Where the numbers begin; those of the next one are where they end. */
  #starts: Int32Array = new Int32Array(64)
  #masses: Float64Array = new Float64Array(64)
  #numbers: Int32Array = new Int32Array(1024)
  #end = 0
  #sorted: Int32Array = new Int32Array(64)

  // The stack.
  size = 0
  stack: Int32Array = new Int32Array(1024)
  #top = 0
  #stackPlaces: Int32Array = new Int32Array(64)
  #stackStarts: Int32Array = new Int32Array(64)
  #stackMasses: Float64Array = new Float64Array(64)
  /** What was popped last: its place, where its numbers are in `stack`, and its share of the tree; none for what only leads back. */
  place = 0
  start = 0
  end = 0
  mass = 0

  // Finding.

  /** @param most how many numbers it may have */
  begin(place: number, weight: number, most: number): void {
    if (this.#end + most > this.#numbers.length) this.#numbers = grown(this.#numbers, 2 * (this.#end + most))
    if (this.found + 1 >= this.#places.length) {
      this.#places = grown(this.#places, 2 * this.#places.length)
      this.#starts = grown(this.#starts, 2 * this.#starts.length)
      this.#sorted = grown(this.#sorted, this.#starts.length)
      this.#weights = grown(this.#weights, this.#starts.length)
      const masses = new Float64Array(2 * this.#masses.length)
      masses.set(this.#masses)
      this.#masses = masses
    }
    this.#places[this.found] = place
    this.#weights[this.found] = weight
    this.#weight += weight
  }

  add(number: number): void {
    this.#numbers[this.#end++] = number
  }

  finish(): void {
    this.#starts[++this.found] = this.#end
  }

  /** The weight of all that was found since the last time. */
  get weight(): number {
    return this.#weight
  }

  /** Shares a part of the tree between those and the way that goes on. Returns what that gets. */
  share(mass: number): number {
    const unit = mass / (1 + this.#weight)
    for (; this.#shared < this.found; this.#shared++) this.#masses[this.#shared] = unit * this.#weights[this.#shared]
    this.#weight = 0
    return unit
  }

  /** The one found that a number from 1 to the weight of all is for. */
  foundAt(number: number): { readonly place: number; readonly numbers: Int32Array; readonly weight: number } {
    let index = 0
    for (let rest = number; rest > this.#weights[index]; index++) rest -= this.#weights[index]
    const numbers = this.#numbers.slice(this.#starts[index], this.#starts[index + 1])
    return { place: this.#places[index], numbers, weight: this.#weights[index] }
  }

  forget(): void {
    this.found = 0
    this.#shared = 0
    this.#weight = 0
    this.#end = 0
  }

  /** The first of all places for which something was found. */
  get lowest(): number {
    let lowest = this.#places[0]
    for (let i = 1; i < this.found; i++) if (this.#places[i] < lowest) lowest = this.#places[i]
    return lowest
  }

  /** Puts onto the stack what was found. */
  settle(): void {
    if (this.found === 1) this.#settle(0)
    else if (this.found > 1) {
      const sorted = this.#sorted
      for (let i = 0; i < this.found; i++) {
        let at = i
        for (; at > 0 && this.#places[sorted[at - 1]] > this.#places[i]; at--) sorted[at] = sorted[at - 1]
        sorted[at] = i
      }
      for (let i = 0; i < this.found; i++) this.#settle(sorted[i])
    }
    this.forget()
  }

  #settle(index: number): void {
    const start = index === 0 ? 0 : this.#starts[index]
    this.push(this.#places[index], this.#numbers, start, this.#starts[index + 1], this.#masses[index])
  }

  // The stack.

  /** The place of the record on top; -1 when there is none. */
  get topPlace(): number {
    return this.size === 0 ? -1 : this.#stackPlaces[this.size - 1]
  }

  push(place: number, numbers: ArrayLike<number>, start: number, end: number, mass: number): void {
    if (this.size === this.#stackPlaces.length) {
      this.#stackPlaces = grown(this.#stackPlaces, 2 * this.size)
      this.#stackStarts = grown(this.#stackStarts, 2 * this.size)
      const masses = new Float64Array(2 * this.size)
      masses.set(this.#stackMasses)
      this.#stackMasses = masses
    }
    if (this.#top + end - start > this.stack.length) this.stack = grown(this.stack, 2 * (this.#top + end - start))
    this.#stackPlaces[this.size] = place
    this.#stackStarts[this.size] = this.#top
    this.#stackMasses[this.size++] = mass
    for (let i = start; i < end; i++) this.stack[this.#top++] = numbers[i]
  }

  /** Takes the record on top. Its numbers stay where they are until the next one is pushed. */
  pop(): boolean {
    if (this.size === 0) return false
    this.size--
    this.place = this.#stackPlaces[this.size]
    this.start = this.#stackStarts[this.size]
    this.end = this.#top
    this.mass = this.#stackMasses[this.size]
    this.#top = this.start
    return true
  }
}
