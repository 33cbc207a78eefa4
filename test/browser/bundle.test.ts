import { type BuildOptions, type BuildResult, build } from 'esbuild'
import { describe, expect, it } from 'vitest'
import { root } from '../package/installed.ts'

/** Bundles a module as users do for a page. Whatever it cannot find, such as a module of Node, is an error. */
function bundle(text: string): Promise<BuildResult<typeof options>> {
  return build({ ...options, stdin: { contents: text, resolveDir: root } })
}

const options = {
  bundle: true,
  format: 'esm',
  platform: 'browser',
  metafile: true,
  minify: true,
  write: false,
  logLevel: 'silent',
} satisfies BuildOptions

describe('a bundler for browsers', () => {
  it.each(['heddle', 'heddle/model', 'heddle/checker'])('takes all of %s, which needs nothing of Node', async (entry) => {
    const { metafile, warnings, outputFiles } = await bundle(`export * from '${entry}'`)
    const [output] = Object.values(metafile.outputs)
    expect(warnings).toEqual([])
    expect(output.imports).toEqual([])
    expect(outputFiles[0].text).not.toMatch(/["'`]node:/)
    const names = Object.keys(await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`))
    expect(names.sort()).toEqual(output.exports.sort())
    expect(names.length).toBeGreaterThan(1)
  })

  it('refuses heddle/node, which does', async () => {
    await expect(bundle("export * from 'heddle/node'")).rejects.toThrow('Could not resolve "node:')
  })

  it('leaves out what a page does not use', async () => {
    const { metafile } = await bundle("export { Mutex, SharedMemory } from 'heddle'")
    const [{ inputs }] = Object.values(metafile.outputs)
    const used = Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    const files = used.map(([file]) => file.replace(/^dist\//, ''))
    expect(files).toContain('core/mutex.js')
    expect(files.filter((file) => /ring|barrier|semaphore|event|once|read-write/.test(file))).toEqual([])
  })
})
