import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * The files that take longest, the longest first, by how their paths begin. A clone knows nothing of how long they took, and Vitest
 * begins with what is large; so one of these would be left for the end, with nothing beside it.
 */
const longest = [
  'specs/queue',
  'specs/ring',
  'specs/work-ring',
  'oracle/generate',
  'specs/lossy-ring',
  'checker/cli',
  'checker/brute-force',
  'core/queue-hopper',
  'specs/parts',
]

/** The order in which files are run. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const at = longest.findIndex((path) => moduleId.includes(`/test/${path}`))
      return at < 0 ? longest.length : at
    }
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b))
  }
}
