/**
 * What a crash left, as a recovery asked for it.
 *
 * For each word that it read, in order, which write of the word: counted from 1 in coherence order, 0 for what `setup` left. After
 * a crash of the recovery `second` says the same of a second one, where the writes are those of the first recovery, and 0 is
 * followed by what the first crash had left there, if nobody had read it.
 */
export interface CrashChoices {
  readonly first: readonly number[]
  readonly second: readonly number[] | undefined
  /** What had been acknowledged, of all that was asked for. */
  readonly acknowledged: readonly string[]
}

/** As it stands at the end of a schedule: `^0.2/1.0@name`. */
export function encodeChoices({ first, second, acknowledged }: CrashChoices): string {
  const again = second === undefined ? '' : `/${second.join('.')}`
  return `^${first.join('.')}${again}${acknowledged.map((name) => `@${encodeURIComponent(name)}`).join('')}`
}

/** The end of a schedule that says what a crash left. */
export const choicesPattern: RegExp = /\^([0-9.]*)(?:(\/)([0-9.]*))?((?:@[^@^/]*)*)$/

/** What stands at the end of a schedule, if anything does. */
export function decodeChoices(schedule: string): CrashChoices | undefined {
  const match = choicesPattern.exec(schedule.trim())
  if (match === null) return undefined
  const [, first, again, second, names] = match
  const numbers = (text: string): number[] => text.split('.').filter(Boolean).map(Number)
  return {
    first: numbers(first),
    second: again === undefined ? undefined : numbers(second),
    acknowledged: names.split('@').slice(1).map(decodeURIComponent),
  }
}
