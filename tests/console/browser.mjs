// SPDX-License-Identifier: EUPL-1.2
// Debian's Chromium on a running `vaka serve`, as people have it: a language, an appearance, a size.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const require = createRequire(new URL('../../ui/package.json', import.meta.url))
const { chromium } = require('playwright-core')
const axeSource = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8')

export const SIZES = {
  desktop: { width: 1440, height: 900 },
  phone: { width: 390, height: 844 },
  zoomed: { width: 320, height: 256 } // 1280 x 1024 at 400 %
}

// A machine may be busy; what never comes is waited for so long (ms).
const PATIENCE = 60_000

// What a key does where the focus is then: '' when there is nothing to press.
function reach(element) {
  const at = element.closest('a[href], button, summary, input, select, textarea, [contenteditable=true]')
  if (!at) return document.activeElement.blur() ?? ''
  at.focus()
  const within = at.closest('[role=tablist], [role=listbox], [popover]') // arrows lead there
  if (at.getRootNode().activeElement !== at || (at.tabIndex < 0 && !within)) throw new Error('no key leads there')
  if (/^(checkbox|radio)$/.test(at.type)) return 'Space'
  return /^(A|BUTTON|SUMMARY)$/.test(at.tagName) ? 'Enter' : ''
}

// From now on nobody has a pointer: what a flow clicks gets the focus, if Tab or an arrow leads there, and is
// pressed.
function takePointersAway(page) {
  const { prototype } = page.locator('body').constructor
  const press = async (locator, { timeout } = {}) => {
    await (await locator.elementHandle({ timeout })).waitForElementState('enabled', { timeout })
    const key = await locator.evaluate(reach, undefined, { timeout })
    if (key) await locator.page().keyboard.press(key)
  }
  const turn = (wanted) =>
    async function () {
      if ((await this.isChecked()) !== wanted) await press(this)
      if ((await this.isChecked()) !== wanted) throw new Error('a key does not turn it')
    }
  prototype.click = async function ({ timeout } = {}) {
    await this.waitFor({ timeout })
    await press(this, { timeout })
  }
  prototype.check = turn(true)
  prototype.uncheck = turn(false)
}

export async function startBrowser() {
  return await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--font-render-hinting=none']
  })
}

// Somebody at a computer; what goes wrong in the page is remembered: errors, and what the policy blocked.
export async function sitDown(browser, url, settings = {}) {
  const { language = 'sv', theme = 'dark', size = 'desktop', reducedMotion = 'reduce', pointer = true } = settings
  const context = await browser.newContext({
    baseURL: url,
    viewport: SIZES[size],
    ignoreHTTPSErrors: true,
    colorScheme: theme === 'light' ? 'light' : 'dark',
    locale: language === 'sv' ? 'sv-SE' : 'en-GB',
    timezoneId: 'Europe/Stockholm',
    reducedMotion,
    permissions: ['clipboard-read', 'clipboard-write']
  })
  await context.addInitScript(
    ([l, t]) => {
      if (!localStorage.getItem('vaka.language')) localStorage.setItem('vaka.language', l)
      if (!localStorage.getItem('vaka.theme')) localStorage.setItem('vaka.theme', t)
    },
    [language, theme]
  )
  await context.addInitScript(axeSource)
  context.setDefaultTimeout(PATIENCE)
  const page = await context.newPage()
  if (!pointer) takePointersAway(page)
  const wrong = []
  page.on('pageerror', (error) => wrong.push(String(error)))
  page.on('dialog', (dialog) => {
    wrong.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('console', (message) => {
    const text = message.text()
    if (message.type() === 'error' && !/status of (40[0-9]|412|429|503)|net::ERR/.test(text)) wrong.push(text)
  })
  return { context, page, wrong }
}

export async function logIn(page, name, password) {
  await page.locator('input[autocomplete="username"]').fill(name)
  await page.locator('input[autocomplete="current-password"]').fill(password)
  await page.keyboard.press('Enter')
  await page.locator('.shell, .gate.wide').first().waitFor()
}

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

// Those whose verdict depends on colours and sizes.
export const OF_APPEARANCE = { type: 'rule', values: ['color-contrast', 'link-in-text-block', 'target-size'] }

// What axe finds, a line each.
export async function findFaults(page, runOnly = { type: 'tag', values: RULES }) {
  const { violations } = await page.evaluate(
    (only) => window.axe.run(document, { runOnly: only, resultTypes: ['violations'], preload: false }),
    runOnly
  )
  return violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(' ')} ${n.failureSummary}`))
}

export const field = (page, label) => page.getByLabel(label, { exact: true })
export const press = (page, name) => page.getByRole('button', { name, exact: true }).click()
export const rowOf = (page, text) => page.locator('tbody tr', { hasText: text })
export const isAt = (page, path) => page.waitForURL((at) => at.pathname === path)

// Goes on by Tab until that control has the focus.
export async function tabTo(page, wanted) {
  for (let i = 0; i < 80; i++) {
    const at = await page.evaluate(() => {
      const e = document.activeElement
      const kind = e.type === 'radio' ? 'radio' : e.tagName.toLowerCase()
      return `${kind} ${e.value || e.getAttribute('aria-label') || e.textContent}`.trim()
    })
    if (wanted.test(at)) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`Tab does not lead to ${wanted}`)
}
