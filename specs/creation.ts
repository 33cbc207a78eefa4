import type { Check } from '../checker/check.ts'
import { guarantee } from '../checker/guarantee.ts'
import { lineWords } from '../core/layout.ts'
import type { Memory } from '../core/memory.ts'
import { type Program, program } from '../model/program.ts'
import { AnonymousMemory } from './memories.ts'
import { refuted } from './mutants.ts'
import { answering, dropped, mutate, swappedWithNext } from './mutate.ts'

/** How a structure is made, and joined while it is made: the same for all. */
export interface Creation {
  /** The guarantee that who attaches finds the whole structure. */
  readonly slug: string
  /** The name of the class: errors of the structure begin with it. */
  readonly name: string
  readonly words: number
  create(memory: Memory): void
  /** Joins the structure and says what it found, using all of it. */
  attach(memory: Memory): string
  /** What `attach` says of a structure that has just been created. */
  readonly found: string
  /** The parameters in the header, in order. */
  readonly parameters: readonly string[]
  /** The words that `create` writes besides the header. */
  readonly state: Readonly<Record<string, number>>
}

/** Where the words of a header at word 0 are. */
const header = { magic: 0, version: 1, kind: 2, size: 3, parameters: 4 }

/** One thread creates the structure on used words while another attaches and uses it. */
export function attachWhileCreated(creation: Creation): Program<Record<'creator' | 'joiner', boolean>> {
  const { slug, name, words, found: expected } = creation
  const createdAt = words
  return program<Record<'creator' | 'joiner', boolean>>({
    name: `${slug.split('/')[0]}/attach-while-created`,
    words: words + lineWords,
    setup: (memory) => {
      for (let word = 1; word < words; word++) memory.write(word, 7)
    },
    threads: {
      creator: (memory) => {
        creation.create(new AnonymousMemory(memory))
        memory.store(createdAt, 1)
        return true
      },
      joiner: (memory) => {
        const created = memory.load(createdAt) === 1
        let found: string | undefined
        try {
          found = creation.attach(new AnonymousMemory(memory))
        } catch (error) {
          // An error of the structure is an answer, and one of the memory is not.
          if (!(error instanceof Error && error.message.startsWith(name))) throw error
        }
        guarantee(slug, found !== undefined || !created, 'it was created and cannot be used')
        guarantee(slug, found === undefined || found === expected, `found ${found}`)
        return found !== undefined
      },
    },
    sometimes: { 'too early': (_, { joiner }) => joiner === false, 'in time': (_, { joiner }) => joiner === true },
  })
}

/** Mistakes in creating a structure and in joining it. The words held something before: what is not written shows. */
export function creationMutants(creation: Creation): readonly Check[] {
  const { slug, parameters, state } = creation
  const attaching = attachWhileCreated(creation)
  const headerWords = [
    ['version', header.version],
    ['kind', header.kind],
    ['size', header.size],
    ...parameters.map((parameter, i) => [parameter, header.parameters + i] as const),
  ] as const
  return [
    refuted(
      slug,
      'create does not publish the header',
      attaching,
      mutate({ operation: 'store', word: header.magic, thread: 'creator' }, dropped),
    ),
    refuted(
      slug,
      'create publishes the header after it returned',
      attaching,
      swappedWithNext({ operation: 'store', word: header.magic, thread: 'creator' }),
    ),
    refuted(
      slug,
      'attach sees no header',
      attaching,
      mutate(
        { operation: 'load', word: header.magic, thread: 'joiner' },
        answering(() => 0),
      ),
    ),
    ...headerWords.flatMap(([what, word]) => [
      refuted(
        slug,
        `create does not write the ${what}`,
        attaching,
        mutate({ operation: 'write', word, thread: 'creator' }, dropped),
      ),
      refuted(
        slug,
        `attach does not see the ${what}`,
        attaching,
        mutate(
          { operation: 'read', word, thread: 'joiner' },
          answering(() => 0),
        ),
      ),
    ]),
    ...Object.entries(state).map(([what, word]) =>
      refuted(slug, `create does not write ${what}`, attaching, mutate({ operation: 'write', word, thread: 'creator' }, dropped)),
    ),
  ]
}
