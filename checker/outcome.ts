import { canonical } from '../model/plain-data.ts'

/**
 * What an execution left behind, as one string: `{"results":{...},"words":{...}}`, keys sorted, words that are not 0.
 * The same for the checker and for real threads, so that the two can be compared.
 *
 * @param results what each thread returned, by its name
 * @param memory the words at the end
 */
export function canonicalOutcome(
  results: Readonly<Record<string, unknown>>,
  memory: { readonly words: number; load(word: number): number },
): string {
  const words: string[] = []
  for (let word = 0; word < memory.words; word++) {
    const value = memory.load(word)
    if (value !== 0) words.push(`"${word}":${value}`)
  }
  return `{"results":${canonical(results)},"words":{${words.join()}}}`
}
