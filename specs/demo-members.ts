/** The processes of a demonstration, which tell it what they have done. */
import { type ChildProcess, fork } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** A process that runs `demo-process` beside its demonstration. */
export class Member<News> {
  private readonly child: ChildProcess
  private readonly news: News[] = []
  private over = ''
  private wake = (): void => {}

  /**
   * @param demo the URL of the module of the demonstration
   * @param task what the process is to do: it gets this as the JSON of its one argument
   */
  constructor(demo: string, task: unknown) {
    const isSource = demo.endsWith('.ts')
    const entry = fileURLToPath(new URL(`demo-process.${isSource ? 'ts' : 'js'}`, demo))
    const loader = isSource ? ['--import', pathToFileURL(createRequire(demo).resolve('tsx')).href] : []
    this.child = fork(entry, [JSON.stringify(task)], { execArgv: loader })
    this.child.on('message', (said: News) => {
      this.news.push(said)
      this.wake()
    })
    this.child.once('error', ({ message }) => {
      this.over = message
      this.wake()
    })
    this.child.once('close', (code, signal) => {
      this.over = signal ?? String(code)
      this.wake()
    })
  }

  /** What it tells, one thing after the other; an error when it ends instead. */
  async hears(): Promise<News> {
    while (this.news.length === 0) {
      if (this.over !== '') throw new Error(`a process ended too early (${this.over})`)
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
    return this.news.shift() as News
  }

  tell(message: string): void {
    this.child.send(message)
  }

  /** Ends it, whatever it does. */
  async end(): Promise<void> {
    const { child } = this
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('close', resolve))
    child.kill('SIGKILL')
    await ended
  }
}
