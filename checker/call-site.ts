/** Files between the caller and the simulated memory: the memory itself, and wrappers around it. */
const wrappers = /\/model\/(simulated-memory|history|guards)\.|\/core\/forwarding-memory\.|\/specs\/mutate\./

/** The frames near the top: the caller is among them as a rule, and each frame costs. */
const few = 16
const enough = 50

/** What V8 says of a frame, before any source map. */
interface Frame {
  getFileName(): string | null | undefined
  getLineNumber(): number | null
  getColumnNumber(): number | null
}

/** The lines that were found, by the place in the code that runs: to look one up in source maps takes a thousand times as long. */
const known = new Map<string, string | undefined>()

/** `file:line` of whoever called an operation of the memory, from inside the memory. */
export function callSite(): string | undefined {
  const place = callerIn(framesHere(few)) ?? callerIn(framesHere(enough))
  if (place === undefined) return lineOf(few) ?? lineOf(enough)
  if (!known.has(place)) known.set(place, lineOf(few) ?? lineOf(enough))
  return known.get(place)
}

/** The frames of the stack; none where the engine does not give any. */
function framesHere(count: number): readonly Frame[] {
  const errors = Error as { prepareStackTrace?: unknown; stackTraceLimit?: number }
  const { prepareStackTrace, stackTraceLimit } = errors
  errors.stackTraceLimit = count
  errors.prepareStackTrace = (_: Error, frames: readonly Frame[]) => frames
  const frames: unknown = new Error().stack
  Object.assign(errors, { prepareStackTrace, stackTraceLimit })
  return Array.isArray(frames) ? frames : []
}

/** The place of the caller. The frames above the memory are the checker's own; then come the memory and its wrappers, then the caller. */
function callerIn(frames: readonly Frame[]): string | undefined {
  let entered = false
  for (const frame of frames) {
    const file = frame.getFileName()
    if (typeof file !== 'string') continue
    if (wrappers.test(file.replaceAll('\\', '/'))) entered = true
    else if (entered) return `${file}:${frame.getLineNumber()}:${frame.getColumnNumber()}`
  }
  return undefined
}

/** The line of the caller as a stack trace tells it. */
function lineOf(frames: number): string | undefined {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = frames
  const stack = new Error().stack ?? ''
  Error.stackTraceLimit = limit
  let entered = false
  for (const line of stack.split('\n')) {
    const place = /\(?((?:file:\/\/|\/|[A-Za-z]:\\|https?:\/\/)[^()]*?):(\d+):\d+\)?$/.exec(line.trim())
    if (place === null) continue
    const file = place[1].replaceAll('\\', '/')
    if (wrappers.test(file)) {
      entered = true
      continue
    }
    if (entered) return `${shorten(file)}:${place[2]}`
  }
  return undefined
}

/** A path as somebody in the working directory would write it; the last parts of it for a file that is elsewhere. */
function shorten(file: string): string {
  const path = file.replace(/^file:\/\//, '').replace(/[?#].*$/, '')
  const { process } = globalThis as { process?: { cwd?(): string } }
  const here = `${process?.cwd?.().replaceAll('\\', '/')}/`
  return path.startsWith(here) ? path.slice(here.length) : path.split('/').slice(-2).join('/')
}
