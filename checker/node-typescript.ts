/** TypeScript, where Node by itself does not know it. Imports next to nothing: the first thing that the command line loads. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { InputError } from './node-input-error.ts'

/** What tsx offers, by the URLs of its modules: for imports, and for packages that are not `"type": "module"`. */
export interface TypeScriptLoader {
  readonly esm: string
  readonly cjs: string
}

/** Finds tsx beside this package or beside `file`; `undefined` when it is not installed. */
export function findTypeScriptLoader(file: string): TypeScriptLoader | undefined {
  for (const from of [fileURLToPath(import.meta.url), file]) {
    try {
      const manifest = createRequire(from).resolve('tsx/package.json')
      const { exports } = JSON.parse(readFileSync(manifest, 'utf8'))
      const url = (entry: string): string => pathToFileURL(join(dirname(manifest), exports[entry].import.default)).href
      return { esm: url('./esm/api'), cjs: url('./cjs/api') }
    } catch {
      // Not installed there.
    }
  }
  return undefined
}

// Set in a thread that was started with tsx registered (see `startThread`), or that registered it.
const registered = Symbol.for('heddle/typescript')

/** Makes this thread import TypeScript, for the sake of `file`. Throws `InputError` where nothing is installed that could. */
export async function registerTypeScript(file: string): Promise<void> {
  const thread = globalThis as { [registered]?: boolean }
  if (thread[registered]) return
  const loader = findTypeScriptLoader(resolve(file))
  if (loader !== undefined) {
    const [cjs, esm]: [typeof import('tsx/cjs/api'), typeof import('tsx/esm/api')] = await Promise.all([
      import(loader.cjs),
      import(loader.esm),
    ])
    cjs.register()
    esm.register()
    thread[registered] = true
  } else if (!(process.features as { typescript?: unknown }).typescript) {
    throw new InputError(`${file}: TypeScript needs tsx: npm install --save-dev tsx`)
  }
}
