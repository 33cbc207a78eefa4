import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Check, checkedProgram, explore, replay } from '../../checker/index.ts'
import { ForwardingMemory } from '../../core/index.ts'
import { watching } from '../../specs/mutate.ts'
import { lifeMutants } from '../../specs/ring/life-mutants.ts'
import { equivalents, mutants } from '../../specs/ring/mutants.ts'

/**
 * Every place where a ring touches shared memory, found in its source, must be reached by a mutant that is refuted, or by
 * one that is explained as equivalent.
 *
 * A place is a call on a `Memory` in `core/ring.ts` or `core/layout.ts`; or one in a part that both ends of the ring use,
 * together with the way there from `core/ring.ts`, since what serves the writer and the readers must be tried for both. It is
 * written as lines, the innermost first: `position.ts:70 ring.ts:301`.
 */
type Place = string

const core = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'core')
const operations = Object.getOwnPropertyNames(ForwardingMemory.prototype).filter(
  (name) => name !== 'constructor' && name !== 'words',
)
/** What a `Memory` can say of other threads. */
const others = ['alive']

interface SourceCall {
  readonly line: number
  /** `load`, `exchange` ... of a memory, or the name of a function. */
  readonly callee: string
  readonly onMemory: boolean
  /** The function or method around it. */
  readonly inside: string
}

function callsIn(file: string): SourceCall[] {
  const source = ts.createSourceFile(file, readFileSync(join(core, file), 'utf8'), ts.ScriptTarget.Latest, true)
  const calls: SourceCall[] = []
  const visit = (node: ts.Node, inside: string): void => {
    const named =
      ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node)
        ? (node.name?.getText() ?? inside)
        : ts.isConstructorDeclaration(node)
          ? (node.parent.name?.getText() ?? inside)
          : inside
    if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
      const { expression } = node
      const callee = ts.isPropertyAccessExpression(expression) ? expression.name : expression
      const receiver = ts.isPropertyAccessExpression(expression) ? expression.expression.getText() : ''
      calls.push({
        line: source.getLineAndCharacterOfPosition(callee.getStart()).line + 1,
        callee: callee.getText(),
        onMemory: /(^|\.)(memory|liveness)$/.test(receiver),
        inside: named,
      })
    }
    ts.forEachChild(node, (child) => visit(child, named))
  }
  visit(source, '')
  return calls
}

/** The parts, and the calls in them. */
const parts = ['position.ts', 'patience.ts', 'holder.ts'].map((file) => ({ file, calls: callsIn(file) }))
const inRing = callsIn('ring.ts')
const inLayout = callsIn('layout.ts')

/** The places in one function, method or constructor of a part. */
function placesWithin(name: string): Place[] {
  return parts.flatMap(({ file, calls }) =>
    calls.filter(({ inside, onMemory }) => onMemory && inside === name).map(({ line }) => `${file}:${line}`),
  )
}

const places: readonly Place[] = [
  ...inLayout.filter(({ onMemory }) => onMemory).map(({ line }) => `layout.ts:${line}`),
  ...inRing.flatMap(({ line, callee, onMemory }) =>
    onMemory ? [`ring.ts:${line}`] : placesWithin(callee).map((place) => `${place} ring.ts:${line}`),
  ),
]

/** The place in core from which a spoilt call comes. */
function placeOf(stack: string): Place | undefined {
  const frames = [...stack.matchAll(/\/core\/((?:ring|layout|position|patience|holder)\.ts):(\d+):\d+/g)].map(
    ([, file, line]) => `${file}:${line}`,
  )
  const outside = frames.findIndex((frame) => /^(ring|layout)/.test(frame))
  return outside < 0 ? undefined : frames.slice(0, outside + 1).join(' ')
}

function reachedBy(body: () => unknown): Set<Place> {
  const reached = new Set<Place>()
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 60
  try {
    watching(() => {
      const place = placeOf(new Error('here').stack ?? '')
      if (place !== undefined) reached.add(place)
    }, body)
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
  return reached
}

/** The places that a mutant spoils in its counterexample. */
function refutedPlaces(check: Check): Set<Place> {
  const program = checkedProgram(check)
  const { failure } = explore(program)
  return reachedBy(() => replay(program, failure?.schedule ?? ''))
}

describe('the places where a ring touches shared memory', () => {
  const refuted = new Map<Place, string[]>()
  const explained = new Set<Place>()

  beforeAll(() => {
    for (const check of [...mutants, ...lifeMutants]) {
      for (const place of refutedPlaces(check)) refuted.set(place, [...(refuted.get(place) ?? []), check.mutant?.name ?? ''])
    }
    for (const { check } of equivalents) {
      for (const place of reachedBy(() => explore(checkedProgram(check)))) explained.add(place)
    }
  }, 120_000)

  it('are found in the source', () => {
    expect(new Set(places).size).toBe(places.length)
    expect(places.length).toBeGreaterThan(40)
    const all = [...inLayout, ...parts.flatMap(({ calls }) => calls), ...inRing]
    const called = all.filter(({ onMemory }) => onMemory).map(({ callee }) => callee)
    expect(called.filter((callee) => !operations.includes(callee) && !others.includes(callee))).toEqual([])
    expect(new Set(called)).toEqual(
      new Set('load store exchange compareExchange wait notify pause read write readBytes writeBytes now alive'.split(' ')),
    )
  })

  it.each(places)('%s is spoilt by a mutant', (place) => {
    expect(refuted.has(place) || explained.has(place)).toBe(true)
  })

  it('are all that mutants spoil', () => {
    expect([...refuted.keys(), ...explained].filter((place) => !places.includes(place))).toEqual([])
  })

  it('without an effect on any guarantee are only those of spinning', () => {
    const lines = readFileSync(join(core, 'patience.ts'), 'utf8').split('\n')
    const unrefuted = places.filter((place) => !refuted.has(place))
    for (const place of unrefuted) {
      expect(place).toMatch(/^patience\.ts:\d+ ring\.ts:\d+$/)
      const line = lines[Number(place.match(/:(\d+)/)?.[1]) - 1]
      expect(line).toMatch(/memory\.pause\(\)|\(memory\.load\(word\) \^ seen\) & ~asleep/)
    }
    expect(unrefuted.length).toBe(4)
  })
})
