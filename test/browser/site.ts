import { readFile } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { posix } from 'node:path'
import ts from 'typescript'
import { root } from '../package/installed.ts'

/** A site of one page, which runs the task that its address names: `page/main.ts`. */
export interface Site {
  readonly address: string
  close(): void
}

const html = '<!doctype html><title>Heddle</title><script type="module" src="/test/browser/page/main.js"></script>'

/**
 * Serves the page, and the modules as they were built, one by one.
 *
 * @param headers of every answer
 */
export async function startSite(headers: Readonly<Record<string, string>>): Promise<Site> {
  const answer = async (path: string, response: ServerResponse): Promise<void> => {
    const type = path === '/' ? 'text/html' : 'text/javascript'
    const text = path === '/' ? html : await moduleAt(path)
    response.writeHead(200, { ...headers, 'content-type': `${type}; charset=utf-8` }).end(text)
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

/** Modules of the page are compiled when they are asked for; all others are those of the package. */
async function moduleAt(path: string): Promise<string> {
  const file = posix.normalize(path)
  if (!file.startsWith('/test/browser/page/')) return readFile(`${root}/dist${file}`, 'utf8')
  const text = await readFile(`${root}${file.replace(/js$/, 'ts')}`, 'utf8')
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022, rewriteRelativeImportExtensions: true },
  })
  return outputText
}
