/** Finds the package around, and its spec modules. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { InputError } from './node-input-error.ts'

/** The root of the package that a directory stands in: the nearest one upwards with a `package.json`. */
export function packageRoot(from: string): string | undefined {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder
    if (dirname(folder) === folder) return undefined
  }
}

/** The version of this package. */
export function version(): string {
  const root = packageRoot(fileURLToPath(new URL('.', import.meta.url)))
  return JSON.parse(readFileSync(join(root as string, 'package.json'), 'utf8')).version
}

/**
 * The files `specs/<any>/<stem>.ts` (or `.js` where there is no `.ts`) of the package around `from`, in order of their names.
 * Throws `InputError` where there is no package; `instead` says what to do then.
 */
export function specFiles(stem: string, instead: string, from: string = process.cwd()): string[] {
  const root = packageRoot(from)
  if (root === undefined) throw new InputError(`no package.json in ${from} or above: ${instead}`)
  const specs = join(root, 'specs')
  if (!existsSync(specs)) return []
  const folders = readdirSync(specs, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return folders
    .map(({ name }) => name)
    .sort()
    .flatMap((name) =>
      [`${stem}.ts`, `${stem}.js`]
        .map((file) => join(specs, name, file))
        .filter(existsSync)
        .slice(0, 1),
    )
    .map((file) => relative(from, file))
}
