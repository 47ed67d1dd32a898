// SPDX-License-Identifier: EUPL-1.2
// The vaka serve that console.py has started, and people who sit down at it.
import { logIn, sitDown, startBrowser } from './browser.mjs'
import { assert } from './tap.mjs'

const wishes = JSON.parse(process.argv[2])

// Every page, and what a page shows when there is nothing.
export const PAGES = [
  '/',
  '/queue',
  '/queue?view=alerts',
  '/queue?entity=nobody',
  `/incidents/${wishes.much}`,
  `/incidents/${wishes.most}?view=alerts`,
  '/search',
  '/search?q=user.name: *',
  '/search?q=user.name: * | timechart 1h by event.action',
  '/search?q=user.name: (anna',
  '/oncall',
  '/rules',
  '/rules?view=coverage',
  '/rules/new',
  '/sources',
  '/sources?view=ledger',
  '/health',
  '/inventory',
  '/me',
  '/admin',
  '/admin?view=log',
  '/admin?view=settings',
  '/wall',
  '/welcome',
  '/nowhere'
]

export async function settled(page) {
  await page.locator('h1').first().waitFor()
  await page.waitForFunction(() => !document.querySelector('.loading'))
}

export async function begin() {
  const { url, password } = wishes
  const browser = await startBrowser()
  // Of the world outside: a record, a server that starts anew.
  const ask = async (what) => {
    const answer = await fetch(`${wishes.city}/${what}`, { method: 'POST' })
    assert.equal(answer.status, 204, what)
  }
  const sit = async (settings, name) => {
    const seat = await sitDown(browser, url, settings)
    await seat.page.goto('/')
    if (name) await logIn(seat.page, name, password)
    return seat
  }
  // Nothing went wrong in the page meanwhile.
  const leave = async (seat) => {
    await seat.context.close()
    assert.deepEqual(seat.wrong, [])
  }
  return { ...wishes, browser, ask, sit, leave }
}
