// SPDX-License-Identifier: EUPL-1.2
// The vaka serve that console.py has started, and people who sit down at it.
import { logIn, sitDown, startBrowser } from './browser.mjs'
import { assert, onFailure } from './tap.mjs'

const wishes = JSON.parse(process.argv[2])

// Every page, and what a page shows when there is nothing.
export const PAGES = [
  '/',
  '/queue',
  '/queue?view=alerts',
  '/queue?entity=nobody',
  `/incidents/${wishes.much}`,
  `/incidents/${wishes.much}?view=alerts`,
  '/search',
  '/search?q=user.name: *',
  '/search?q=user.name: * | timechart 1h by event.action',
  '/search?q=user.name: (anna',
  '/oncall',
  '/oncall?as=calendar',
  '/oncall?view=pages',
  '/oncall?view=check',
  '/oncall?view=changes',
  '/oncall?view=rest',
  '/oncall?view=fairness',
  '/oncall?view=mine',
  '/oncall?view=providers',
  '/oncall?view=plan',
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
  '/welcome?step=source',
  '/welcome?step=oncall',
  '/welcome?step=page',
  '/welcome?step=drill',
  '/nowhere'
]

export async function settled(page) {
  await page.locator('h1').first().waitFor()
  await page.waitForFunction(() => !document.querySelector('.loading'))
}

export async function begin() {
  const { url, password } = wishes
  const browser = await startBrowser()
  // What everybody saw who still sits there.
  onFailure(async () => {
    const pages = browser.contexts().flatMap((context) => context.pages())
    const texts = pages.map((page) => page.locator('body').innerText({ timeout: 5000 }).catch(String))
    const said = await Promise.all(texts)
    await Promise.all(browser.contexts().map((context) => context.close()))
    return pages.map((page, n) => `--- ${page.url()}\n${said[n].slice(0, 2000)}`).join('\n')
  })
  // Of the world outside: a record, a server that starts anew.
  const ask = async (what) => {
    const answer = await fetch(`${wishes.city}/${what}`, { method: 'POST' })
    assert.equal(answer.status, 200, what)
    return await answer.text()
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
