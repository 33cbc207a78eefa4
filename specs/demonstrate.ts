/** How a demonstration of several processes on a mapped file is run, from its command line to its end. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { Member } from './demo-members.ts'

/** What one demonstration has of its own. */
export interface Demonstration<Options, News> {
  /** As `heddle run` knows it. */
  readonly name: string
  readonly usage: string
  /** The module, beside which its `demo-process` lies: `import.meta.url`. */
  readonly module: string
  /** Its options on the command line, next to `--json` and `--help`, with their defaults. */
  readonly defaults: Readonly<Record<string, string>>
  /** @throws Error when one makes no sense */
  optionsOf(values: Readonly<Record<string, string>>): Options
  /** @param start starts a process */
  run(options: Options, path: string, start: (task: unknown) => Member<News>): Promise<Shown>
}

/** What came of it. */
export interface Shown {
  readonly fine: boolean
  /** For `--json`. */
  readonly document: object
  readonly text: string
}

/** Runs a demonstration. Returns 0 when all is fine, 1 when it is not or that could not be seen, 2 for bad arguments. */
export async function demonstrate<Options, News>(
  { name, usage, module, defaults, optionsOf, run }: Demonstration<Options, News>,
  args: readonly string[],
): Promise<number> {
  const complain = (error: unknown, code: number): number => {
    process.stderr.write(`heddle: ${name}: ${(error as Error).message}\n`)
    return code
  }
  let asked: { readonly options: Options; readonly json: boolean }
  try {
    const { json, help, ...values } = valuesOf(args, defaults)
    if (help === true) {
      print(usage)
      return 0
    }
    asked = { options: optionsOf(values as Record<string, string>), json: json === true }
  } catch (error) {
    return complain(error, 2)
  }
  const folder = mkdtempSync(join(tmpdir(), `heddle-${name}-`))
  const members: Member<News>[] = []
  const start = (task: unknown): Member<News> => {
    const member = new Member<News>(module, task)
    members.push(member)
    return member
  }
  let interrupt = (): void => {}
  const interrupted = new Promise<'interrupted'>((resolve) => {
    interrupt = () => resolve('interrupted')
  })
  process.once('SIGINT', interrupt)
  try {
    const shown = await Promise.race([run(asked.options, join(folder, 'memory'), start), interrupted])
    if (shown === 'interrupted') return complain(new Error('interrupted'), 130)
    const { fine, document, text } = shown
    print(asked.json ? JSON.stringify({ command: 'run', demonstration: name, ...document }, null, 2) : text)
    return fine ? 0 : 1
  } catch (error) {
    return complain(error, 1)
  } finally {
    process.off('SIGINT', interrupt)
    await Promise.all(members.map((member) => member.end()))
    rmSync(folder, { recursive: true, force: true })
  }
}

/** @throws Error when the text is no integer from 1 to `most` */
export function integer(name: string, text: string, most: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= 1 && value <= most) return value
  throw new Error(`${name}: expected an integer from 1 to ${most}, found ${JSON.stringify(text)}`)
}

function valuesOf(args: readonly string[], defaults: Readonly<Record<string, string>>): Record<string, unknown> {
  const options: ParseArgsConfig['options'] = { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } }
  for (const [name, value] of Object.entries(defaults)) options[name] = { type: 'string', default: value }
  return parseArgs({ args: [...args], options }).values
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
