import type { Memory } from '../../core/memory.ts'

/**
 * What those who run together answer, or why they failed. When one has failed, or the time is over, all others are told to stop, by
 * the last word of the memory (`mistaken.ts`).
 */
export async function together(memory: Memory, answers: readonly Promise<unknown>[], patienceMs: number): Promise<unknown[]> {
  let stopping: NodeJS.Timeout | undefined
  const stop = (): void => {
    // Again and again, for one may be about to sleep.
    stopping ??= setInterval(() => {
      memory.store(memory.words - 1, 1)
      for (let word = 0; word < memory.words; word++) memory.notify(word)
    }, 10)
  }
  const late = setTimeout(stop, patienceMs)
  try {
    return await Promise.all(
      answers.map((answer) =>
        answer.catch((error: Error) => {
          stop()
          return error.message
        }),
      ),
    )
  } finally {
    clearTimeout(late)
    clearInterval(stopping)
  }
}
