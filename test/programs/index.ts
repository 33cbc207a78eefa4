import { classics } from './classics.ts'
import { contention } from './contention.ts'
import type { Family } from './family.ts'
import { shapes } from './shapes.ts'
import { waiting } from './waiting.ts'

export { binomial, crowd, type Family, factorial, listed, reordered, upTo } from './family.ts'

/** Every family whose number of executions is known from elsewhere. */
export const families: readonly Family[] = [...contention, ...shapes, ...classics, ...waiting]

/** The family of that name. */
export function family(name: string): Family {
  const found = families.find((each) => each.name === name)
  if (found === undefined) throw new Error(`there is no family ${name}`)
  return found
}
