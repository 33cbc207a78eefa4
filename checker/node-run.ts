/** `heddle run`: the demonstrations of the package around, found at run time. */
import { basename, dirname } from 'node:path'
import { specFiles } from './node-files.ts'
import { InputError, oneLine } from './node-input-error.ts'
import { loadModule } from './node-load.ts'
import { exit, print } from './node-terminal.ts'

/** What a module `specs/<name>/demo.ts` exports. Returns the exit code, 0 when it returns nothing. */
export interface Demo {
  demo(args: readonly string[]): Promise<number | undefined> | number | undefined
}

/** Runs the demonstration `name`, or lists them all. Returns the exit code. */
export async function runCommand(
  name: string | undefined,
  args: readonly string[],
  options: { json?: boolean },
): Promise<number> {
  const demos = specFiles('demo', 'run this in a package that has demonstrations').map((file) => ({
    name: basename(dirname(file)),
    file,
  }))
  if (name === undefined) {
    if (options.json) print(JSON.stringify({ command: 'run', demonstrations: demos }, null, 2))
    else print(demos.length === 0 ? 'no demonstrations in this package' : demos.map((demo) => demo.name).join('\n'))
    return exit.ok
  }
  const chosen = demos.find((demo) => demo.name === name)
  if (chosen === undefined) {
    const names = demos.length === 0 ? 'there are none' : `there are: ${demos.map((demo) => demo.name).join(', ')}`
    throw new InputError(`no demonstration '${name}' in this package; ${names}`)
  }
  const { demo } = (await loadModule(chosen.file)) as Partial<Demo>
  if (typeof demo !== 'function') throw new InputError(`${chosen.file}: exports no function 'demo'`)
  const code = await demo(args)
  if (code === undefined) return exit.ok
  if (Number.isInteger(code) && code >= 0 && code < 256) return code
  throw new InputError(`${chosen.file}: 'demo' returned ${oneLine(code)}, which is no exit code`)
}
