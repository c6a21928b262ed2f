// The system's Chromium, headless, driven by playwright-core.
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import process from 'node:process'
import { type Browser, chromium } from 'playwright-core'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome']

export async function openBrowser(): Promise<Browser & AsyncDisposable> {
  const browser = await chromium.launch({ executablePath: findChromium(), chromiumSandbox: false })
  return Object.assign(browser, { [Symbol.asyncDispose]: () => browser.close() })
}

function findChromium(): string {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const found = folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find((path) => existsSync(path))
  if (found === undefined) throw new Error(`no ${NAMES.join(', ')} in the PATH`)
  return found
}
