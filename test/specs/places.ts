import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { ForwardingMemory } from '../../core/index.ts'
import { root } from '../checker/fixtures/installed-heddle.ts'

/**
 * A place where a structure touches shared memory, as lines, the innermost first: `holder.ts:43 holder.ts:70 mutex.ts:116`.
 *
 * It is a call on a `Memory` in a file of the structure (`ring.ts`, `ring-sink.ts` ...), or in `core/layout.ts`; or one in a
 * part that several structures use, or one structure for several ends, together with the way there from the file of the
 * structure: what serves all must be tried for each.
 */
export type Place = string

const parts = ['position.ts', 'patience.ts', 'holder.ts']
/** Names for a part's object, whose methods then are the part's. */
const partObjects = /(^|\.)patience$/
const memories = /(^|\.)(memory|liveness)$/
const operations = [...Object.getOwnPropertyNames(ForwardingMemory.prototype), 'alive']

interface SourceCall {
  readonly line: number
  /** `load`, `exchange` ... of a memory, or the name of a function or class. */
  readonly callee: string
  readonly receiver: string
  /** The function, method or class around it. */
  readonly inside: string
}

function callsIn(file: string): SourceCall[] {
  const text = readFileSync(join(root, 'core', file), 'utf8')
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const calls: SourceCall[] = []
  const visit = (node: ts.Node, outside: string): void => {
    const inside = nameOf(node) ?? outside
    if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
      const { expression } = node
      const callee = ts.isPropertyAccessExpression(expression) ? expression.name : expression
      calls.push({
        line: source.getLineAndCharacterOfPosition(callee.getStart()).line + 1,
        callee: callee.getText(),
        receiver: ts.isPropertyAccessExpression(expression) ? expression.expression.getText() : '',
        inside,
      })
    }
    ts.forEachChild(node, (child) => visit(child, inside))
  }
  visit(source, '')
  return calls
}

function nameOf(node: ts.Node): string | undefined {
  if (ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node)) return node.name?.getText()
  return ts.isConstructorDeclaration(node) ? node.parent.name?.getText() : undefined
}

/** A place, and what is done there. */
interface FoundPlace {
  readonly place: Place
  readonly operation: string
}

const callsInParts = parts.map((file) => [file, callsIn(file)] as const)
const isOnMemory = ({ receiver }: SourceCall) => memories.test(receiver)
/** Calls that may lead into a part. */
const isForeign = ({ receiver }: SourceCall) => receiver === '' || partObjects.test(receiver)

/** The places that are reached through a call. */
function placesThrough(call: SourceCall, file: string): FoundPlace[] {
  const at = `${file}:${call.line}`
  if (isOnMemory(call)) {
    const { callee: operation } = call
    if (!operations.includes(operation)) throw new Error(`${at}: ${operation} is no operation of a memory`)
    return [{ place: at, operation }]
  }
  if (!isForeign(call)) return []
  return callsInParts.flatMap(([part, calls]) =>
    calls
      .filter(({ inside }) => inside === call.callee)
      .flatMap((inner) => placesThrough(inner, part))
      .map((found) => ({ ...found, place: `${found.place} ${at}` })),
  )
}

/** Whether a file of `core` belongs to a structure. */
const isOf = (structure: string, file: string): boolean => file === `${structure}.ts` || file.startsWith(`${structure}-`)

/** The places of a structure. Those in `layout.ts` count once, whatever calls it, and some structures have no use for some. */
export function placesOf(structure: string): readonly FoundPlace[] {
  const files = readdirSync(join(root, 'core')).filter((file) => isOf(structure, file))
  return ['layout.ts', ...files].flatMap((file) => callsIn(file).flatMap((call) => placesThrough(call, file)))
}

/** The place of a structure that a stack trace goes through, if it goes through one. */
export function placeIn(stack: string, structure: string): Place | undefined {
  const frames = [...stack.matchAll(/\/core\/([a-z-]+\.ts):(\d+):\d+/g)]
    .filter(([, file]) => ['layout.ts', ...parts].includes(file as string) || isOf(structure, file as string))
    .map(([, file, line]) => `${file}:${line}`)
  const outermost = frames.findIndex((frame) => !parts.includes(frame.split(':')[0] as string))
  return outermost < 0 ? undefined : frames.slice(0, outermost + 1).join(' ')
}
