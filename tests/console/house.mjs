// SPDX-License-Identifier: EUPL-1.2
// The vaka serve that console.py has started, and people who sit down at it.
import { logIn, sitDown, startBrowser } from './browser.mjs'
import { assert, check, onFailure } from './tap.mjs'

const wishes = JSON.parse(process.argv[2])

// A rule of Vaka's own, with tests.
const RULE = '30798cab-9284-471a-bb07-3fb52d229df3'

// Every page, and what a page shows when there is nothing.
const EVERY = [
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
  '/rules?view=suppressions',
  '/rules?view=exceptions',
  '/rules?view=sets',
  '/rules?view=indicators',
  '/rules?q=nothing+of+the+kind',
  `/rules/${RULE}`,
  `/rules/${RULE}/edit`,
  '/rules/new',
  '/sources',
  '/sources?view=rhythm',
  '/sources?view=ledger',
  '/sources?view=unread',
  '/sources?view=cloud',
  '/sources?view=products',
  '/health',
  '/inventory',
  '/me',
  '/admin',
  '/admin?view=roles',
  '/admin?view=tokens',
  '/admin?view=sessions',
  '/admin?view=log',
  '/admin?view=looks',
  '/admin?view=settings',
  '/wall',
  '/welcome',
  '/welcome?step=source',
  '/welcome?step=oncall',
  '/welcome?step=page',
  '/welcome?step=drill',
  '/nowhere'
]

// Of a Vaka that nobody has set up there are no incidents.
export const PAGES = EVERY.filter((path) => !path.includes('undefined'))

export async function settled(page) {
  await page.locator('h1').first().waitFor()
  await page.waitForFunction(() => !document.querySelector('.loading'))
}

// What opens a dialog ends with … but for these.
const OPENERS = /(…|^(Anslut en källa|Connect a source|Nytt konto|New account|Ny nyckel|New token|Ny tillgång|New asset))$/

// The dialog goes, and the focus comes back to the button with that text.
async function closes(page, text) {
  await page.keyboard.press('Escape')
  await page.locator('dialog[open]').waitFor({ state: 'detached' })
  await page.locator('button:focus', { hasText: text }).waitFor()
}

async function eachDialog(page, within, seen, look) {
  const buttons = within.locator('button:visible:enabled').filter({ hasText: OPENERS })
  for (const [n, text] of (await buttons.allTextContents()).entries()) {
    if (seen.has(text)) continue
    seen.add(text)
    await buttons.nth(n).click()
    const dialog = page.locator('dialog[open]')
    await dialog.waitFor()
    await settled(page)
    await look(text)
    // The question about säkerhetsskydd comes before what else is asked.
    const no = dialog.locator('input[type=radio][value=no]').first()
    if ((await no.count()) && !(await no.isChecked())) {
      await no.check()
      await look(`${text} no`)
    }
    await closes(page, text)
  }
}

async function eachMenu(page, seen, look) {
  const menus = page.locator('button[popovertarget]:visible')
  const kinds = await menus.evaluateAll((buttons) =>
    buttons.map((b) => [...document.getElementById(b.getAttribute('popovertarget')).querySelectorAll('a, button')].map((i) => i.textContent))
  )
  for (const [n, items] of kinds.entries()) {
    if (seen.has(items.join())) continue
    seen.add(items.join())
    const open = async () => {
      await menus.nth(n).click()
      await page.locator(':popover-open').waitFor()
    }
    await open()
    await look(`menu ${items[0]}`)
    await page.keyboard.press('Escape')
    for (const item of items.filter((text) => OPENERS.test(text) && !seen.has(text))) {
      seen.add(item)
      await open()
      await page.locator(':popover-open').getByText(item, { exact: true }).click()
      await page.locator('dialog[open]').waitFor()
      await settled(page)
      await look(item)
      await closes(page, await menus.nth(n).textContent())
    }
  }
}

// What may lie above a page, each kind once: `look` is told what it is.
export async function eachLayer(page, path, seen, look) {
  // Of several at once there is something to do when one is chosen.
  const box = page.locator('tbody input[type=checkbox]').first()
  if (/^\/(queue|incidents)/.test(path) && (await box.count())) await box.check()
  // A form asks further when nothing that it needs is missing.
  for (const empty of await page.locator('main input:visible:invalid').all()) await empty.fill('+46701740699')
  await eachDialog(page, page.locator('.shell, main').first(), seen, look)
  await eachMenu(page, seen, look)
}

const NAMES = { sv: 'Swedish', en: 'English' }

// The house as somebody has it who reads that language: his texts are pairs, `t('Spara', 'Save')`.
const reading = (house, language) => ({
  ...house,
  language,
  t: (sv, en) => (language === 'sv' ? sv : en),
  sit: (settings, name) => house.sit({ language, ...settings }, name)
})

// What somebody does, in the language it is done in. With console.py --swap everything is done in the other
// one, by the same code; `other` is the house of somebody who reads that.
function flowOf(house) {
  const languages = wishes.swap ? { sv: 'en', en: 'sv' } : { sv: 'sv', en: 'en' }
  return async (language, name, run) => {
    const spoken = languages[language]
    const other = spoken === 'sv' ? 'en' : 'sv'
    await check(`${name}, in ${NAMES[spoken]}`, () => run({ ...reading(house, spoken), other: reading(house, other) }))
  }
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
    const seat = await sitDown(browser, url, { pointer: !wishes.keyboard, ...settings })
    await seat.page.goto('/')
    if (name) await logIn(seat.page, name, password)
    return seat
  }
  // Nothing went wrong in the page meanwhile.
  const leave = async (seat) => {
    await seat.context.close()
    assert.deepEqual(seat.wrong, [])
  }
  const house = { ...wishes, browser, ask, sit, leave }
  return { ...house, flow: flowOf(house) }
}
