import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'

/** Where a Chromium is installed, by any of its names. CI installs one: there it is never missing. */
export const chromiumPath: string | undefined = (() => {
  const { HEDDLE_CHROMIUM, PATH = '', CI } = process.env
  const names = ['chromium-headless-shell', 'chromium', 'google-chrome']
  const installed = PATH.split(delimiter).flatMap((folder) => names.map((name) => join(folder, name)))
  // The last is where `npx playwright-core install chromium` puts it.
  const places = HEDDLE_CHROMIUM === undefined ? [...installed, chromium.executablePath()] : [HEDDLE_CHROMIUM]
  const found = places.find(isExecutable)
  if (found !== undefined) return found
  const missing = `no Chromium in ${HEDDLE_CHROMIUM ?? 'PATH'}: apt-get install chromium-headless-shell`
  if (CI !== undefined) throw new Error(missing)
  console.warn(`${missing}; the tests in a browser are skipped`)
  return undefined
})()

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Starts it, without a window, and with nothing that it would fetch by itself. */
export function startChromium(executablePath: string): Promise<Browser> {
  const quiet = ['--disable-gpu', '--disable-quic', '--disable-sync', '--disable-component-update', '--disable-dev-shm-usage']
  return chromium.launch({ executablePath, args: quiet, timeout: 120_000 })
}
