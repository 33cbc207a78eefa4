import { execFile } from 'node:child_process'
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root: string = fileURLToPath(new URL('../..', import.meta.url))

/** What a command said and how it ended. */
export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command to its end, without a shell and without standard input. Never rejects for a non-zero exit. */
export function run(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const options = {
      cwd,
      encoding: 'utf8',
      maxBuffer: 1 << 26,
      env: { ...bareEnvironment(), ...env },
    } as const
    const child = execFile(command, args, options, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(error)
      else resolve({ code: error === null ? 0 : (error.code as unknown as number), stdout, stderr })
    })
    child.stdin?.end()
  })
}

/** The environment of a user: without what npm, Vitest and a terminal put there, which changes what commands do and print. */
function bareEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(
    ([name]) => !/^(npm_(lifecycle|package|config_local)|VITEST|NODE_ENV|NODE_OPTIONS|FORCE_COLOR|INIT_CWD)/i.test(name),
  )
  return { ...Object.fromEntries(entries), NO_COLOR: '1' }
}

/** An empty project into which the packed package was installed, as a user would have it. */
export interface Installed {
  /** The folder of the project. */
  readonly folder: string
  /** The files in the tarball. */
  readonly files: readonly string[]
  remove(): Promise<void>
}

/**
 * Packs what was built (`npm run build` comes first), and installs the tarball into a new project in a temporary folder. What it
 * depends on is taken from here: no registry is asked.
 */
export async function installPacked(): Promise<Installed> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'heddle-package-')))
  const remove = () => rm(folder, { recursive: true, force: true })
  try {
    const { filename, files } = await pack(root, folder)
    const { dependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { dependencies: object }
    const overrides: Record<string, string> = {}
    for (const name of Object.keys(dependencies)) {
      overrides[name] = `file:./${(await pack(join(root, 'node_modules', name), folder)).filename}`
    }
    await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, overrides }))
    succeed(await run('npm', ['install', '--offline', '--no-audit', '--no-fund', join(folder, filename)], folder))
    return { folder, files: files.map(({ path }) => path).sort(), remove }
  } catch (error) {
    await remove()
    throw error
  }
}

interface Packed {
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

/** Makes the tarball of a package. */
async function pack(from: string, to: string): Promise<Packed> {
  const { stdout } = succeed(await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', to], from))
  const [packed] = JSON.parse(stdout) as [Packed]
  return packed
}

/** The outcome itself, or an error that shows what the command printed. */
export function succeed(outcome: Outcome): Outcome {
  if (outcome.code !== 0) throw new Error(`exit code ${outcome.code}\n${outcome.stdout}\n${outcome.stderr}`)
  return outcome
}
