/** The names of the guarantees: what programs and mutants name, and what comments in `core` cite. */
export type Guarantee = 'waiting/wakes' | 'waiting/silent' | 'waiting/times-out' | 'waiting/robust'

/** What the ways to wait promise (`core/patience.ts`), whichever structure a thread waits for. */
export const guarantees: Readonly<Record<Guarantee, string>> = {
  'waiting/wakes': 'Whoever waits goes on when there is what it waits for, in whichever way each of the others waits.',
  'waiting/silent':
    'Who yields or spins does not announce itself, so that nobody calls a notify for it; one that yields does once a notify has woken it in the place of another thread.',
  'waiting/times-out':
    'Who yields or spins gives up when its time is over and not before, and then after one more look: what came in time it has.',
  'waiting/robust': 'Where the memory tells who is alive, who yields or spins notices that the thread it waits for has died.',
}
