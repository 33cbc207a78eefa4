import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { node, root } from '../checker/fixtures/installed-heddle.ts'

/**
 * The page of the demonstration: its code is that of the sources, and its commands print what it says. After a change, and
 * `npm run build`, `HEDDLE_UPDATE_README=1 npx vitest run test/specs/sum-match-page.test.ts` writes what they print now into
 * the page: read the difference.
 */
const folder = join(root, 'specs', 'sum-match')
const path = join(folder, 'README.md')
const updating = process.env.HEDDLE_UPDATE_README !== undefined
const page = readFileSync(path, 'utf8')
const blocksIn = (text: string, language: string): string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, block]) => block)
const sessions = blocksIn(page, 'console').map((block) => {
  const [command, ...output] = block.split('\n')
  return { block, command: command.replace(/^\$ /, ''), output: output.join('\n') }
})

/** Times differ from run to run, and with them the width of their column. */
const withoutTimes = (text: string): string => text.replace(/ *\b\d+\.\d+( s)?(?= |$)/gm, ' <time>').trimEnd()

describe('the page of the sums', () => {
  it('shows code as it is', () => {
    const sources = ['article.ts', 'protocol.ts'].map((file) => readFileSync(join(folder, file), 'utf8')).join('\n')
    const blocks = blocksIn(page, 'ts')
    expect(blocks).toHaveLength(7)
    for (const block of blocks) expect(sources).toContain(block)
  })

  it('links only to files that exist', () => {
    const links = [...page.matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link)
    expect(links.length).toBeGreaterThan(3)
    for (const link of links) expect(() => readFileSync(join(folder, link)), link).not.toThrow()
  })

  it('has a counterexample for each mistake, and two programs that hold', () => {
    const verdicts = sessions.map(({ output }) => /^sum-match\S+ +(holds|refuted)/m.exec(output)?.[1])
    expect(verdicts).toEqual(['refuted', 'refuted', 'refuted', 'holds', 'refuted', 'refuted', 'holds'])
  })

  it.each(sessions.map((session) => [session.command, session] as const))('prints: %s', async (command, { block, output }) => {
    const [npx, heddle, ...args] = command.split(' ')
    expect([npx, heddle]).toEqual(['npx', 'heddle'])
    const { code, stdout, stderr } = await node(['dist/checker/node-cli.js', ...args])
    if (updating)
      writeFileSync(
        path,
        readFileSync(path, 'utf8').replace(block, () => `$ ${command}\n${stdout}`),
      )
    else expect(withoutTimes(stdout), stderr).toBe(withoutTimes(output))
    expect(code).toBe(0)
  })
})
