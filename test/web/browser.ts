import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

/** Chromium, from CHROMIUM_PATH or the PATH. It asks nothing of the network by itself. Close it. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath(),
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

function chromiumPath(): string {
  const { CHROMIUM_PATH, PATH = '' } = process.env
  if (CHROMIUM_PATH) return CHROMIUM_PATH
  const names = ['chromium', 'chromium-browser', 'google-chrome']
  const paths = names.flatMap((name) => PATH.split(delimiter).map((folder) => join(folder, name)))
  const found = paths.find(isExecutable)
  if (found === undefined)
    throw new Error(`None of ${names.join(', ')} is on the PATH. Install Chromium, or set CHROMIUM_PATH.`)
  return found
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** A page that is watched while it is used. */
export interface WatchedPage {
  readonly page: Page
  /** What its console and the browser complained of. */
  readonly complaints: string[]
  /** Addresses it asked for outside the server. */
  readonly elsewhere: string[]
  close(): Promise<void>
}

/** Opens an address in a session of its own, in British English. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ locale: 'en-GB', ...options })
  const page = await context.newPage()
  const complaints: string[] = []
  const elsewhere: string[] = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url())
    if (origin !== new URL(url).origin && protocol !== 'data:') elsewhere.push(request.url())
  })
  await page.goto(url)
  return { page, complaints, elsewhere, close: () => context.close() }
}
