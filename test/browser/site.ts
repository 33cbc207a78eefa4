import { readFile } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, posix, relative, sep } from 'node:path'
import { build } from 'esbuild'
import ts from 'typescript'
import { root } from '../package/installed.ts'

/** A site of one page, which runs the task that its address names: `page/main.ts`. */
export interface Site {
  readonly address: string
  close(): void
}

const html = '<!doctype html><title>Heddle</title><script type="module" src="/test/browser/page/main.js"></script>'

/** The text of the module at a path. */
export type Modules = (path: string) => string | Promise<string>

/**
 * Serves the page and its modules.
 *
 * @param headers of every answer
 */
export async function startSite(headers: Readonly<Record<string, string>>, modules: Modules): Promise<Site> {
  const answer = async (path: string, response: ServerResponse): Promise<void> => {
    const type = path === '/' ? 'text/html' : 'text/javascript'
    const text = path === '/' ? html : await modules(path)
    // Pages come and go; the modules stay as they are meanwhile.
    const all = { ...headers, 'content-type': `${type}; charset=utf-8`, 'cache-control': 'max-age=3600' }
    response.writeHead(200, all).end(text)
  }
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://site')
    answer(pathname, response).catch((error) => response.writeHead(404, headers).end(`${error}`))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    // Browsers trust this name without TLS.
    address: `http://localhost:${(server.address() as AddressInfo).port}/`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

/** One by one, as they were built; those of the page are compiled when they are asked for. */
export const single: Modules = async (path) => {
  const file = posix.normalize(path)
  if (!file.startsWith('/test/browser/page/')) return readFile(join(root, 'dist', file), 'utf8')
  const text = await readFile(join(root, file.replace(/js$/, 'ts')), 'utf8')
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022, rewriteRelativeImportExtensions: true },
  })
  return outputText
}

/** Put together and minified by a bundler, as users do. */
export async function bundled(): Promise<Modules> {
  const { outputFiles } = await build({
    entryPoints: ['main', 'worker'].map((name) => join(root, 'test/browser/page', `${name}.ts`)),
    bundle: true,
    minify: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    outbase: root,
    outdir: root,
    // A worker is found beside the module that starts it.
    chunkNames: 'test/browser/page/[hash]',
    write: false,
  })
  const texts = new Map(outputFiles.map(({ path, text }) => [`/${relative(root, path).split(sep).join('/')}`, text]))
  return (path) => {
    const text = texts.get(path)
    if (text === undefined) throw new Error(`no ${path} among ${[...texts.keys()]}`)
    return text
  }
}
