import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Installed, installPacked, root, run } from './package/installed.ts'

/**
 * The README's examples, run as they are. After a change of what the command line prints,
 * `HEDDLE_UPDATE_README=1 npx vitest run test/readme.test.ts` writes what it prints now into the README: read the difference.
 */
const updating = process.env.HEDDLE_UPDATE_README !== undefined
const readme = readFileSync(join(root, 'README.md'), 'utf8')
let updated = ''
let updatedTo = 0

interface Block {
  readonly language: string
  readonly text: string
  /** Where the text begins in the README. */
  readonly at: number
}

const blocks: readonly Block[] = [...readme.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(({ 1: language, 2: text, index }) => ({
  language,
  text,
  at: index + '```\n'.length + language.length,
}))
const ofLanguage = (language: string) => blocks.filter((block) => block.language === language).map(({ text }) => text)

interface Session {
  /** What is typed. */
  readonly command: string
  /** What it prints. */
  readonly output: string
  /** Where the output begins in the README. */
  readonly at: number
  /** The files as a reader has them by then. */
  readonly files: ReadonlyMap<string, string>
}

/** Follows the README: a file begins with a line that names it, and a function alone replaces the one of its name. */
function follow(): Session[] {
  const sessions: Session[] = []
  const files = new Map<string, string>()
  let latest = ''
  for (const { language, text, at } of blocks) {
    const name = /^\/\/ (\S+\.mjs)\n/.exec(text)?.[1]
    const replaced = /^function (\w+)/.exec(text)?.[1]
    if (language === 'js' && name !== undefined) {
      files.set(name, text)
      latest = name
    } else if (language === 'js' && replaced !== undefined) {
      const before = files.get(latest) as string
      const after = before.replace(new RegExp(`^function ${replaced}\\b.*?^}\\n`, 'ms'), text)
      if (after === before) throw new Error(`${latest} has no function ${replaced} to replace`)
      files.set(latest, after)
    } else if (language === 'console') {
      const [, command, output] = /^\$ (.*?)\n(.*)$/s.exec(text) as RegExpExecArray
      sessions.push({ command, output, at: at + text.length - output.length, files: new Map(files) })
    } else if (language === 'js') {
      throw new Error(`neither a file nor a function:\n${text}`)
    }
  }
  return sessions
}
const sessions = follow()

/** Times differ from run to run, and with them the width of their column. */
const withoutTimes = (text: string): string => text.replace(/ *\b\d+\.\d+( s)?(?= |$)/gm, ' <time>').trimEnd()

/** The blocks of the README in an empty project, in the order in which a reader meets them. */
let user: Installed
beforeAll(async () => {
  user = await installPacked()
})
afterAll(async () => {
  await user?.remove()
  if (updating) await writeFile(join(root, 'README.md'), updated + readme.slice(updatedTo))
})

describe('the README', () => {
  it('has the examples it promises', () => {
    expect(sessions.map(({ command }) => command)).toEqual([
      'node ring.mjs',
      'npx heddle check lock.mjs',
      'npx heddle check lock.mjs',
      'node queue.mjs',
      'node queue.mjs',
    ])
  })

  it('names commands that exist, and CI runs its test command', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    const commands = ofLanguage('sh')
      .join('')
      .matchAll(/^npm (?:run )?(\S+)/gm)
    const names = [...commands].map(([, name]) => name)
    expect(names).toEqual(['check', 'test'])
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(names))
    expect(readFileSync(join(root, '.ci/run'), 'utf8')).toMatch(/^ *limited \S.* npm test /m)
  })

  it('links only to files that exist', () => {
    const links = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path]) => path)
    expect(links.length).toBeGreaterThan(0)
    for (const link of links) expect(() => readFileSync(join(root, link)), link).not.toThrow(/ENOENT/)
  })

  for (const [index, { command, output, at, files }] of sessions.entries()) {
    it(`shows what '${command}' prints (example ${index + 1})`, async () => {
      // A trace names the folder of a file too; the README shows that of a clone.
      const folder = join(user.folder, 'heddle')
      await mkdir(folder, { recursive: true })
      for (const [name, text] of files) await writeFile(join(folder, name), text)
      const [program, ...args] = command.split(' ')
      const { code, stdout, stderr } = await run(program, args, folder)
      if (updating) {
        updated += readme.slice(updatedTo, at) + stdout
        updatedTo = at + output.length
        return
      }
      expect(withoutTimes(stdout), stderr).toBe(withoutTimes(output))
      expect(code).toBe(output.includes('not as expected') ? 1 : 0)
    })
  }
})
