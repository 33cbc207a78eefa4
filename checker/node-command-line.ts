/** Reads the arguments, runs the command, sets the exit code. Commands load their code when they are chosen. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import type { Shard } from './deal.ts'
import { checkCommand, replayCommand, type ShowOptions } from './node-check.ts'
import type { Excerpt } from './node-excerpt.ts'
import { version } from './node-files.ts'
import { InputError } from './node-input-error.ts'
import { complain, exit, print } from './node-terminal.ts'
import { type Bounds, seeds } from './report.ts'

/** Cutting up takes longer the more there are. */
const mostShards = 1000

type CheckOptions = ShowOptions &
  Bounds & {
    progress?: boolean
    estimate?: boolean
    workers?: number
    shard?: Shard
    queue?: string
    prefix: string
    checkpoint?: string
    cached?: boolean
    random?: number
    depth?: number
    seed?: number
    preemptions?: number
  }

function positiveInteger(text: string): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value > 0) return value
  throw new InvalidArgumentError('It is not a positive integer.')
}

function wholeNumber(text: string): number {
  return Number(text) === 0 && /^\d+$/.test(text) ? 0 : positiveInteger(text)
}

function positiveNumber(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value
  throw new InvalidArgumentError('It is not a positive number.')
}

function seed(text: string): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value < seeds) return value
  throw new InvalidArgumentError(`It is not an integer below ${seeds}.`)
}

function shard(text: string): Shard {
  const [, index, of] = /^([1-9]\d*)\/([1-9]\d*)$/.exec(text) ?? []
  if (index !== undefined && Number(index) <= Number(of) && Number(of) <= mostShards)
    return { index: Number(index), of: Number(of) }
  throw new InvalidArgumentError(`It is not like 2/8, with at most ${mostShards} shards.`)
}

function commandLine(done: (code: number) => void): Command {
  const heddle = new Command('heddle')
    .description('Takes concurrent programs through every order that their threads can take.')
    .usage('<command> [options]')
    .option('-V, --version', 'print the version')
    .option('--json', 'print one JSON document instead of text')
    .helpCommand('help [command]', 'explain a command')
    .enablePositionalOptions()
    .allowExcessArguments()
    .addHelpText(
      'after',
      `
Examples:
  heddle check                           all specs of this package
  heddle check lock.ts --only lock/two   one check of a file
  heddle check --estimate                how many executions there are, about
  heddle stress lock.ts --seconds 60     the same programs on real threads

Exit codes:
  check    0 every check as expected, 1 one was not,
           3 one was inconclusive without being expected to be;
           of a shard: 0 nothing unexpected so far
  merge    as check
  work     0 it was told to stop, or had nothing to do for --idle
  replay   1 the failure was reproduced, 0 it was not
  stress   0 everything seen had been enumerated, 1 something was not,
           or a thread hung
  all      2 bad input, 130 interrupted, 70 a fault of heddle itself`,
    )
  // Options of the parent are wanted after the command too; an action reads them merged.
  const subcommand = (usage: string, about: string): Command =>
    heddle
      .command(usage)
      .description(about)
      .option('--json', 'print one JSON document instead of text')
      .allowExcessArguments(false)
  const only = ['--only <name>', 'only checks of this name, or whose name has it inside or matches it as a glob'] as const
  const prefix = ['--prefix <text>', 'what the keys of --queue begin with', 'heddle'] as const

  subcommand('check [files...]', 'search every execution of the checks (default: specs/*/checks.{ts,js} of this package)')
    .option(...only)
    .option('--executions <n>', 'at most so many executions a check', positiveInteger)
    .option('--seconds <n>', 'at most so many seconds a check', positiveNumber)
    .option('--events <n>', 'at most so many operations a thread', positiveInteger)
    .option('--workers <n>', 'explore in so many threads (default: one for each processor)', positiveInteger)
    .addOption(
      new Option('--shard <i/n>', 'explore the i-th of n parts only; heddle merge makes one of what they print with --json')
        .argParser(shard)
        .conflicts('executions'),
    )
    .addOption(
      new Option(
        '--queue <address>',
        'let others explore, on any machine: those that run heddle work with this Redis or Valkey server (redis://host:6379)',
      ).conflicts('workers'),
    )
    .option(...prefix)
    .option('--checkpoint <file>', 'save what is done now and then, and go on with it if the file is there already')
    .addOption(
      new Option(
        '--cached',
        'skip checks on which nothing has changed since --cached was used last: nothing that they import, nor heddle',
      ).conflicts('shard'),
    )
    .option('--verbose', 'print the counterexamples of mutants too')
    .option('--progress', 'tell how far it is once a second, on standard error; with --json as lines of JSON')
    .addOption(
      new Option(
        '--estimate',
        'search nothing: print how many executions there are, about, by random walks (of --seconds a check, default 0.2)',
      ).conflicts(['executions', 'events', 'verbose', 'progress', 'shard', 'checkpoint', 'cached', 'queue']),
    )
    .addOption(
      new Option('--random <runs>', 'do not search: so many runs of each check, chosen at random')
        .argParser(positiveInteger)
        .conflicts(['executions', 'workers', 'shard', 'checkpoint', 'cached', 'progress', 'estimate', 'queue']),
    )
    .option('--depth <d>', 'with --random: look for bugs that need so many pairs of steps in a certain order', positiveInteger)
    .option('--seed <n>', 'with --random: the same runs as those that printed it', seed)
    .addOption(
      new Option('--preemptions <k>', 'explore what needs so many preemptions at most: the fewest first')
        .argParser(wholeNumber)
        .conflicts(['executions', 'workers', 'shard', 'checkpoint', 'cached', 'progress', 'estimate', 'queue', 'random']),
    )
    .addHelpText(
      'after',
      `
A bound that is hit makes the verdict inconclusive, and what was covered is
told. --preemptions keeps all states that it has seen, and may take longer than
a search without it: it is for programs that nobody can search to the end.`,
    )
    .action(async (files: string[], _: CheckOptions, command: Command) => {
      const {
        executions,
        seconds,
        events,
        random: runs,
        depth,
        seed,
        preemptions,
        ...show
      } = command.optsWithGlobals<CheckOptions>()
      if (runs === undefined && (depth ?? seed) !== undefined) {
        throw new InputError(`${depth === undefined ? '--seed' : '--depth'} belongs to --random`)
      }
      const bounds: Bounds = {
        ...(executions === undefined ? {} : { executions }),
        ...(seconds === undefined ? {} : { seconds }),
        ...(events === undefined ? {} : { events }),
      }
      const random = {
        ...bounds,
        runs,
        ...(depth === undefined ? {} : { depth }),
        seed: seed ?? Math.floor(Math.random() * seeds),
      }
      const excerpt: { excerpt?: Excerpt } =
        runs !== undefined
          ? { excerpt: { kind: 'random', options: { ...random, runs } } }
          : preemptions !== undefined
            ? { excerpt: { kind: 'few-preemptions', options: { ...bounds, preemptions } } }
            : {}
      done(await checkCommand(files, { ...show, bounds, ...excerpt }))
    })

  subcommand('work', 'explore for those who run heddle check --queue, until Ctrl-C')
    .requiredOption(
      '--queue <address>',
      'the Redis or Valkey server: redis://user:password@host:6379/0, rediss://..., unix:///...',
    )
    .option(...prefix)
    .option('--workers <n>', 'so many jobs at a time (default: one for each processor)', positiveInteger)
    .option('--idle <seconds>', 'end when there was no work for so long', positiveNumber)
    .option(
      '--lease <seconds>',
      'what it was doing is given to others when it shows no sign of life for so long',
      positiveNumber,
      15,
    )
    .addHelpText(
      'after',
      `
Run it where a copy of the package is: files, all that they import, and the
versions of Heddle and Node must be those of the check, or it refuses the work
and leaves it to others. Whoever can write to the server decides which files
of the package are loaded. A worker that dies loses nothing.`,
    )
    .action(async (_: unknown, command: Command) => {
      const { workCommand } = await import('./node-work.ts')
      done(await workCommand(command.optsWithGlobals()))
    })

  subcommand('merge <reports...>', 'tell what all shards of a check found, from what each printed with --json')
    .option('--verbose', 'print the counterexamples of mutants too')
    .action(async (files: string[], _: unknown, command: Command) => {
      const { mergeCommand } = await import('./node-merge.ts')
      done(mergeCommand(files, command.optsWithGlobals()))
    })

  subcommand('replay <file> [schedule]', 'run one schedule of a failure again and show what happens')
    .option('--schedule <text>', 'the schedule, where it is not an argument')
    .option(...only)
    .action(async (file: string, schedule: string | undefined, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<ShowOptions & { schedule?: string }>()
      const chosen = schedule ?? options.schedule
      if (chosen === undefined) throw new InputError('replay needs a schedule: the text that a failure prints')
      done(await replayCommand(file, chosen, options))
    })

  subcommand('stress <file>', 'run the programs on real threads and compare what is seen with what was enumerated')
    .option(...only)
    .option('--seconds <n>', 'run for so long, all programs together', positiveNumber, 10)
    .option('--hang <n>', 'a thread that does nothing for so many seconds hangs', positiveNumber, 5)
    .action(async (file: string, _: unknown, command: Command) => {
      const { stressCommand } = await import('./node-stress.ts')
      done(await stressCommand(file, command.optsWithGlobals()))
    })

  subcommand('run [name] [args...]', 'run a demonstration of this package (default: list them)')
    .passThroughOptions()
    .allowExcessArguments()
    .action(async (name: string | undefined, args: string[], _: unknown, command: Command) => {
      const { runCommand } = await import('./node-run.ts')
      done(await runCommand(name, args, command.optsWithGlobals()))
    })

  heddle.action((options: { version?: boolean; json?: boolean }, command: Command) => {
    if (!options.version) {
      const [given] = command.args
      throw new InputError(noCommand(given))
    }
    print(options.json ? JSON.stringify({ version: version() }) : version())
  })
  // One line for each mistake, and our exit codes.
  for (const command of [heddle, ...heddle.commands]) {
    command
      .exitOverride()
      .showSuggestionAfterError(false)
      .configureOutput({ writeErr: () => {} })
  }
  return heddle
}

function noCommand(given: string | undefined): string {
  return given === undefined ? 'no command: see heddle --help' : `no command '${given}': see heddle --help`
}

/** Runs the command that the arguments name, without `node` and the script, and returns its exit code. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  let code: number = exit.ok
  try {
    await commandLine((its) => {
      code = its
    }).parseAsync(args, { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) {
      // Help ends this way too.
      if (error.exitCode === 0) return exit.ok
      const unknown = error.code === 'commander.help'
      complain(unknown ? noCommand(args[1]) : `${error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ')}`)
      return exit.badInput
    }
    if (error instanceof InputError) {
      complain(error.message)
      return exit.badInput
    }
    complain(`a fault of heddle itself: ${error instanceof Error ? error.stack : error}`)
    return exit.broken
  }
}
