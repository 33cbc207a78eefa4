/** `heddle merge`: what the shards of a run found, as one. */
import { readFileSync } from 'node:fs'
import { unmet } from './check.ts'
import type { CheckResult } from './format.ts'
import { mergeShards } from './merge.ts'
import { type CheckDocument, exitCode, type ShowOptions, showResults } from './node-check.ts'
import { InputError, oneLine } from './node-input-error.ts'

/** What one shard printed. */
interface ShardDocument extends CheckDocument {
  readonly file: string
  readonly shard: NonNullable<CheckDocument['shard']>
  readonly results: readonly (CheckResult & Required<Pick<CheckResult, 'part'>>)[]
}

/** Prints what the whole would have printed, and returns its exit code. */
export function mergeCommand(files: readonly string[], options: ShowOptions): number {
  const documents = files.map(readShard).sort((a, b) => a.shard.index - b.shard.index)
  for (const document of documents) refuseStranger(document, documents[0])
  const { of } = documents[0].shard
  for (let index = 1; index <= of; index++) {
    const found = documents.filter(({ shard }) => shard.index === index)
    if (found.length === 0) throw new InputError(`shard ${index}/${of} is missing`)
    if (found.length > 1) throw new InputError(`${found[1].file}: is shard ${index}/${of} again, as ${found[0].file}`)
  }
  const results = documents[0].results.map(({ part: _, unmet: __, ...result }, i): CheckResult => {
    const report = mergeShards(documents.map(({ results }) => ({ ...results[i].part, report: results[i].report })))
    const why = unmet(result, report)
    return { ...result, report, met: why === undefined, ...(why === undefined ? {} : { unmet: why }) }
  })
  const code = exitCode(results)
  showResults({ command: 'merge', exit: code, results }, options)
  return code
}

function readShard(file: string): ShardDocument {
  let document: Partial<ShardDocument>
  try {
    document = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new InputError(`${file}: cannot be read: ${oneLine(error)}`)
  }
  const { command, shard, results, interrupted } = document ?? {}
  if (command !== 'check' || shard === undefined || !Array.isArray(results) || results.some(({ part }) => part === undefined)) {
    throw new InputError(`${file}: is not what heddle check --shard --json prints`)
  }
  if (interrupted !== undefined) throw new InputError(`${file}: shard ${shard.index}/${shard.of} was interrupted`)
  return { ...(document as ShardDocument), file }
}

/** Throws where two shards are not of one whole. */
function refuseStranger(document: ShardDocument, first: ShardDocument): void {
  const same = (what: string, one: unknown, other: unknown): void => {
    if (one !== other) throw new InputError(`${first.file}, ${document.file}: ${what} differs: not of one whole`)
  }
  same('the version of heddle', first.heddle, document.heddle)
  same('the number of shards', first.shard.of, document.shard.of)
  same('the number of checks', first.results.length, document.results.length)
  for (const [i, { name, part }] of document.results.entries()) {
    const other = first.results[i]
    same('the list of checks', other.name, name)
    same(`what ${name} depends on`, other.part.inputs, part.inputs)
    same(`how ${name} was cut up`, other.part.cut, part.cut)
  }
}
