import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { ForwardingMemory } from '../../core/index.ts'
import { root } from '../checker/fixtures/installed-heddle.ts'

/**
 * A place where a structure touches shared memory, as lines, the innermost first: `holder.ts:43 holder.ts:70 mutex.ts:116`.
 * Where there are several in a line, each has its column, too: `segment.ts:191:29`.
 *
 * It is a call through a door in a file of the structure (`ring.ts`, `ring-sink.ts` ...), or in `core/layout.ts`; or one in a
 * part that several structures use, or one structure for several ends, together with the way there from the file of the
 * structure: what serves all must be tried for each.
 */
export type Place = string

/** Files of structures that have other names. */
const alsoOf: Readonly<Record<string, readonly string[]>> = { queue: ['log.ts', 'record.ts', 'recovery.ts', 'segment.ts'] }

const parts = ['position.ts', 'patience.ts', 'holder.ts', 'items.ts', 'twin.ts']
/** Names for a part's object, whose methods then are the part's. */
const partObjects = /(^|\.)patience$/

/** What leads to shared memory. */
interface Door {
  readonly receiver: RegExp
  readonly operations: readonly string[]
  /** What else such an object can be asked, which touches nothing. */
  readonly aside?: readonly string[]
  /** The file behind it, where that is a structure with a spec of its own. */
  readonly file?: string
}
/** What looks at shared memory without a call. */
const getters = ['isAlone']
const doors: readonly Door[] = [
  {
    receiver: /(^|\.)(memory|liveness|durability)$/,
    operations: [...Object.getOwnPropertyNames(ForwardingMemory.prototype), 'alive', 'flush', ...getters],
    aside: ['close', 'prepare'],
  },
  {
    receiver: /(^|\.)folder$/,
    operations: ['list', 'create', 'open', 'link', 'rename', 'remove', 'sync'],
    aside: ['close'],
  },
  { receiver: /(^|\.)(lock|flushLock)$/, operations: ['lock', 'unlock', 'abandon'], file: 'mutex.ts' },
  { receiver: /^Mutex$/, operations: ['create', 'attach'], aside: ['words'], file: 'mutex.ts' },
]
const doorFiles = doors.flatMap(({ file }) => file ?? [])

interface SourceCall {
  readonly line: number
  readonly column: number
  /** `load`, `exchange` ... of a memory, or the name of a function or class. */
  readonly callee: string
  readonly receiver: string
  /** The function, method or class around it. */
  readonly inside: string
}

const callsOf = new Map<string, readonly SourceCall[]>()

function callsIn(file: string): readonly SourceCall[] {
  const calls = callsOf.get(file) ?? readCalls(file)
  callsOf.set(file, calls)
  return calls
}

function readCalls(file: string): SourceCall[] {
  const text = readFileSync(join(root, 'core', file), 'utf8')
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const calls: SourceCall[] = []
  const visit = (node: ts.Node, outside: string): void => {
    const inside = nameOf(node) ?? outside
    const isGetter = ts.isPropertyAccessExpression(node) && getters.includes(node.name.text)
    if (ts.isCallExpression(node) || ts.isNewExpression(node) || isGetter) {
      const expression = isGetter ? node : node.expression
      const callee = ts.isPropertyAccessExpression(expression) ? expression.name : expression
      const { line, character } = source.getLineAndCharacterOfPosition(callee.getStart())
      calls.push({
        line: line + 1,
        column: character + 1,
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
/** Calls that may lead into a part. */
const isForeign = ({ receiver }: SourceCall) => receiver === '' || partObjects.test(receiver)
/** Calls of a part's object within the part. */
const isOwn = ({ receiver }: SourceCall, file: string) => receiver === 'this' && parts.includes(file)

const doorOf = (call: SourceCall) => doors.find(({ receiver }) => receiver.test(call.receiver))
const leadsSomewhere = (call: SourceCall): boolean =>
  doorOf(call)?.operations.includes(call.callee) ??
  (isForeign(call) && callsInParts.some(([, calls]) => calls.some(({ inside }) => inside === call.callee)))

/** What a call is named after: its line, and its column where others in that line lead somewhere as well. */
function nameOfCall(file: string, line: number, column: number): string {
  const inLine = callsIn(file).filter((call) => call.line === line && leadsSomewhere(call))
  return inLine.length > 1 ? `${file}:${line}:${column}` : `${file}:${line}`
}

/** The places that are reached through a call. */
function placesThrough(call: SourceCall, file: string): FoundPlace[] {
  const at = nameOfCall(file, call.line, call.column)
  const door = doorOf(call)
  if (door !== undefined) {
    const { callee: operation } = call
    if (door.aside?.includes(operation)) return []
    if (!door.operations.includes(operation)) throw new Error(`${at}: ${operation} is no operation of a ${call.receiver}`)
    return [{ place: at, operation }]
  }
  if (!isForeign(call) && !isOwn(call, file)) return []
  return callsInParts.flatMap(([part, calls]) =>
    calls
      .filter(({ inside }) => inside === call.callee)
      .flatMap((inner) => placesThrough(inner, part))
      .map((found) => ({ ...found, place: `${found.place} ${at}` })),
  )
}

/** Whether a file of `core` belongs to a structure. */
const isOf = (structure: string, file: string): boolean =>
  file === `${structure}.ts` || file.startsWith(`${structure}-`) || alsoOf[structure]?.includes(file) === true

/** The places of a structure. Those in `layout.ts` count once, whatever calls it, and some structures have no use for some. */
export function placesOf(structure: string): readonly FoundPlace[] {
  const files = readdirSync(join(root, 'core')).filter((file) => isOf(structure, file))
  return ['layout.ts', ...files].flatMap((file) => callsIn(file).flatMap((call) => placesThrough(call, file)))
}

/** The places that were found, by the structure and the places in the code that runs: to look them up in source maps takes long. */
const placesBehind = new Map<string, Place | undefined>()

/** The place of a structure from which this is called, if it is called from one. */
export function placeHere(structure: string): Place | undefined {
  const { prepareStackTrace, stackTraceLimit } = Error
  Error.stackTraceLimit = 60
  Error.prepareStackTrace = (_, frames) => frames
  const frames = new Error().stack as unknown as readonly NodeJS.CallSite[]
  Error.prepareStackTrace = prepareStackTrace
  const inCore = frames.filter((frame) => frame.getFileName()?.includes('/core/'))
  const behind = [structure, ...inCore.map((frame) => `${frame.getFileName()}:${frame.getPosition()}`)].join()
  if (!placesBehind.has(behind)) placesBehind.set(behind, placeIn(new Error().stack ?? '', structure))
  Error.stackTraceLimit = stackTraceLimit
  return placesBehind.get(behind)
}

/** The place of a structure that a stack trace goes through, if it goes through one. */
function placeIn(stack: string, structure: string): Place | undefined {
  const all = [...stack.matchAll(/\/core\/([a-z0-9-]+\.ts):(\d+):(\d+)/g)].map(([, file, line, column]) => ({
    file: file as string,
    line: Number(line),
    column: Number(column),
  }))
  // What is behind a door is one place, whatever goes on there.
  const behind = all.findLastIndex(({ file }) => doorFiles.includes(file) && !isOf(structure, file))
  const frames = all.slice(behind + 1).filter(({ file }) => ['layout.ts', ...parts].includes(file) || isOf(structure, file))
  const outermost = frames.findIndex(({ file }) => !parts.includes(file))
  if (outermost < 0) return undefined
  return frames
    .slice(0, outermost + 1)
    .map(({ file, line, column }) => nameOfCall(file, line, column))
    .join(' ')
}
