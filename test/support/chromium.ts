import { existsSync } from 'node:fs'
import { type Browser, type BrowserContext, chromium } from 'playwright-core'
import { requireOrSkip } from './requirement.ts'

const executablePath = '/usr/bin/chromium'

/** Whether there is a Chromium to test with; where there is none, the reason is printed. */
export const hasChromium: boolean = requireOrSkip(
  'chromium',
  existsSync(executablePath) ? null : `there is no ${executablePath}; install Debian's package chromium`,
)

/** How a browser is started. */
export interface ChromiumOptions {
  /** Whether pages have a WebGPU adapter: SwiftShader, which computes in software. @default false */
  readonly webgpu?: boolean
  /** Further flags. @default none */
  readonly flags?: readonly string[]
}

/** Nothing of it goes to any network but the loopback. */
const quiet = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
const software = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader']

/** Starts a browser without a window. Its contexts keep nothing once they are closed. */
export function launchChromium(options: ChromiumOptions = {}): Promise<Browser> {
  return chromium.launch({ executablePath, headless: true, args: flagsOf(options) })
}

/** Starts a browser that keeps what pages store in a folder, as somebody's own does. */
export function launchChromiumIn(folder: string, options: ChromiumOptions = {}): Promise<BrowserContext> {
  return chromium.launchPersistentContext(folder, { executablePath, headless: true, args: flagsOf(options) })
}

function flagsOf({ webgpu = false, flags = [] }: ChromiumOptions): string[] {
  return [...quiet, ...(webgpu ? software : []), ...flags]
}
