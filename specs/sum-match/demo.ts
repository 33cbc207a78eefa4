/** `heddle run sum-match`: processes send integers through a mapped file, and the sums match, also when some are killed. */
import { type ChildProcess, fork } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { count, duration, table } from '../../checker/format.ts'
import { MappedMemory } from '../../core/node-index.ts'
import type { News, Task } from './demo-process.ts'
import { integerOf } from './integers.ts'
import { prepare, type Shape, sendersMax, words, wordsOf } from './protocol.ts'

const usage = `Usage: heddle run sum-match [options]

Sender processes write integers through a mapped file, and a receiver process sums them up. The sums are compared.

Options:
  --senders <n>   how many senders, up to ${sendersMax} (default: 3)
  --messages <n>  how many integers each of them sends (default: 1000000)
  --kill          kill some senders at random moments, with SIGKILL
  --json          print one JSON document instead of text
  -h, --help      print this`

interface Options {
  readonly shape: Shape
  readonly kill: boolean
  readonly json: boolean
}

/** What became of a sender. */
interface Sent {
  readonly sender: number
  readonly killed: boolean
  /** How many integers it published, what their sum is, and to which sum the receiver came. */
  readonly published: number
  readonly sum: number
  readonly received: number
}

/** Runs the demonstration. Returns 0 when the sums match, 1 when they do not or could not be compared, 2 for bad arguments. */
export async function demo(args: readonly string[]): Promise<number> {
  let options: Options | undefined
  try {
    options = optionsOf(args)
  } catch (error) {
    return complain(error, 2)
  }
  if (options === undefined) {
    print(usage)
    return 0
  }
  const { shape, kill, json } = options
  let interrupt = (): void => {}
  const interrupted = new Promise<'interrupted'>((resolve) => {
    interrupt = () => resolve('interrupted')
  })
  process.once('SIGINT', interrupt)
  const company = new Company()
  try {
    const outcome = await Promise.race([run(company, shape, kill), interrupted])
    if (outcome === 'interrupted') return complain(new Error('interrupted'), 130)
    const { sent, seconds } = outcome
    const match = sent.every(({ sum, received }) => sum === received)
    if (json) print(JSON.stringify({ command: 'run', demonstration: 'sum-match', match, seconds, senders: sent }, null, 2))
    else print(textOf(sent, match, seconds))
    return match ? 0 : 1
  } catch (error) {
    return complain(error, 1)
  } finally {
    process.off('SIGINT', interrupt)
    await company.disband()
  }
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

function complain(error: unknown, code: number): number {
  process.stderr.write(`heddle: sum-match: ${(error as Error).message}\n`)
  return code
}

function textOf(sent: readonly Sent[], match: boolean, seconds: number): string {
  const rows = sent.map(({ sender, killed, published, sum, received }) => [
    String(sender),
    count(published),
    count(sum),
    count(received),
    killed ? 'killed' : '',
  ])
  const total = sent.reduce((all, { published }) => all + published, 0)
  const verdict = match ? 'the sums match' : 'the sums do not match'
  return [
    table([['sender', 'published', 'sum', 'received', ''], ...rows], new Set([0, 1, 2, 3])),
    '',
    `${verdict}: ${count(total)} integers in ${duration(seconds)}`,
  ].join('\n')
}

/** `undefined` when help is wanted. */
function optionsOf(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      senders: { type: 'string', default: '3' },
      messages: { type: 'string', default: '1000000' },
      kill: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return undefined
  const shape = {
    senders: integer('--senders', values.senders, sendersMax),
    messages: integer('--messages', values.messages, messagesMax),
  }
  return { shape, kill: values.kill, json: values.json }
}

/** A file of 32 senders then has 8 GiB, and the sums of all integers are exact. */
const messagesMax = 2 ** 26

function integer(name: string, text: string, most: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= 1 && value <= most) return value
  throw new Error(`${name}: expected an integer from 1 to ${most}, found ${JSON.stringify(text)}`)
}

/** The processes, and the file that they share. */
class Company {
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'heddle-sum-match-'))
  readonly #members: Member[] = []
  #memory: MappedMemory | undefined

  create(words: number): MappedMemory {
    this.#memory = MappedMemory.create(this.path, { words })
    return this.#memory
  }

  get path(): string {
    return join(this.#folder, 'memory')
  }

  hire(task: Omit<Task, 'path'>): Member {
    const member = new Member({ ...task, path: this.path })
    this.#members.push(member)
    return member
  }

  /** Ends whoever still runs, and leaves nothing behind. */
  async disband(): Promise<void> {
    for (const member of this.#members) member.kill()
    await Promise.all(this.#members.map(({ ended }) => ended))
    this.#memory?.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** One of the processes. */
class Member {
  /** Who it is in the mapped file, as soon as it can begin. */
  readonly ready: Promise<number>
  /** What it came to, if it is the receiver. */
  readonly sums: Promise<readonly number[]>
  /** How it ended: with which code, or by which signal. */
  readonly ended: Promise<string>
  isOver = false
  readonly #child: ChildProcess

  constructor(task: Task) {
    const child = fork(entry, [JSON.stringify(task)], { execArgv: loader() })
    this.#child = child
    this.ended = new Promise((resolve) => {
      // When it is gone and all that it told was heard.
      child.once('close', (code, signal) => resolve(signal ?? String(code)))
      child.once('error', ({ message }) => resolve(message))
    })
    const name = task.sender === undefined ? 'the receiver' : `sender ${task.sender}`
    const tooEarly = this.ended.then((how): never => {
      this.isOver = true
      throw endedTooEarly(name, how)
    })
    this.ready = Promise.race([this.#hear('ready'), tooEarly]).then(({ participant }) => participant)
    this.sums = Promise.race([this.#hear('received'), tooEarly]).then(({ sums }) => sums)
    // In case that nobody waits for them.
    for (const news of [this.ready, this.sums]) news.catch(() => {})
  }

  begin(): void {
    this.#child.send('begin')
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  #hear<K extends News['kind']>(kind: K): Promise<Extract<News, { kind: K }>> {
    return new Promise((resolve) => {
      this.#child.on('message', (news: News) => {
        if (news.kind === kind) resolve(news as Extract<News, { kind: K }>)
      })
    })
  }
}

function endedTooEarly(name: string, how: string): Error {
  return new Error(`${name} ended too early (${how})`)
}

const source = import.meta.url.endsWith('.ts')
const entry = fileURLToPath(new URL(`demo-process.${source ? 'ts' : 'js'}`, import.meta.url))

/** What Node needs to know to run `entry`. */
function loader(): string[] {
  return source ? ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href] : []
}

/** The whole demonstration, and how long it took from the first integer on. */
async function run(company: Company, shape: Shape, kill: boolean): Promise<{ sent: readonly Sent[]; seconds: number }> {
  const memory = company.create(wordsOf(shape))
  const senders = Array.from({ length: shape.senders }, (_, sender) => company.hire({ shape, sender }))
  const receiver = company.hire({ shape })
  const [, ...participants] = await Promise.all([receiver, ...senders].map(({ ready }) => ready))
  prepare(memory, shape, participants)
  const start = performance.now()
  for (const member of [receiver, ...senders]) member.begin()
  const published = (sender: number): number => memory.load(words.published(sender, shape))
  if (kill) {
    for (const [sender, member] of some(senders)) void killAt(randomInt(shape.messages), () => published(sender), member)
  }
  const sums = await receiver.sums
  const seconds = (performance.now() - start) / 1000
  const sent = senders.map(async ({ ended }, sender): Promise<Sent> => {
    const how = await ended
    const killed = how === 'SIGKILL'
    const allSent = how === '0' && published(sender) === shape.messages
    if (!allSent && !(kill && killed)) throw endedTooEarly(`sender ${sender}`, how)
    return { sender, killed, published: published(sender), sum: sumOf(sender, published(sender)), received: sums[sender] }
  })
  return { sent: await Promise.all(sent), seconds }
}

/** Kills a process once the number has come so far: at a random moment, if that is a random number. */
async function killAt(number: number, now: () => number, member: Member): Promise<void> {
  while (!member.isOver && now() < number) await setTimeout(1)
  member.kill()
}

/** At least one of a list, at random, each with its index. */
function some<T>(list: readonly T[]): [number, T][] {
  const certain = randomInt(list.length)
  return [...list.entries()].filter(([index]) => index === certain || randomInt(2) === 0)
}

/** What the first integers of a sender come to. */
function sumOf(sender: number, published: number): number {
  let sum = 0
  for (let n = 0; n < published; n++) sum += integerOf(sender, n)
  return sum
}
