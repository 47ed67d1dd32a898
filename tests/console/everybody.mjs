// SPDX-License-Identifier: EUPL-1.2
// Everybody can use the console: what axe finds, narrow screens, the keyboard, motion, and how much
// has to be fetched. node everybody.mjs WISHES (see console.py).
import { findFaults, isAt, logIn, OF_APPEARANCE, SIZES } from './browser.mjs'
import { begin, eachLayer, PAGES, settled } from './house.mjs'
import { assert, check, end } from './tap.mjs'

const { password, much, all, browser, ask, sit, leave, flow } = await begin()
await ask('relax')
if (much) await ask('hostile')

const THEMES = ['light', 'dark', 'contrast']

// What logs say that attackers have written to is there as well.
async function placesOf(page) {
  if (!much) return PAGES
  const { incidents } = await (await page.request.get('/api/v1/incidents?limit=200')).json()
  const { id } = incidents.find((i) => JSON.stringify(i).includes('window.xss'))
  const of = [`/incidents/${id}`, `/incidents/${id}?view=alerts`]
  return [...PAGES, ...of, '/search?q=VAKAMARK', '/search?q=VAKAMARK | count by user.name']
}

// What a log has made of the page that is not text.
const strangeThing = () =>
  window.xss ? 'it ran' : document.querySelector('img, iframe, [onload], [onerror], [onclick]')?.outerHTML

// Controls that say nothing to who hears the page, as the browser tells them to a screen reader.
const NAMELESS =
  /^\s*- (button|checkbox|combobox|dialog|img|link|menuitem\w*|option|radio|searchbox|spinbutton|switch|tab|table|tabpanel|textbox)(:|$| \[)/
async function namelessOf(page) {
  const told = await page.locator('body').ariaSnapshot()
  return told.split('\n').filter((line) => NAMELESS.test(line))
}

// Somebody who looks at the same in several appearances; what axe finds where he is, what came of what attackers wrote,
// and on a screen of 320 pixels what is wider.
async function looksAround(language, [first, ...others]) {
  const seat = await sit({ language, theme: first }, 'alla')
  const { page } = seat
  const faults = []
  const wear = (theme) => page.evaluate((is) => (document.documentElement.dataset.theme = is), theme)
  const look = async (what) => {
    faults.push(...(await findFaults(page)).map((f) => `${what}: ${f}`))
    for (const theme of others) {
      await wear(theme)
      faults.push(...(await findFaults(page, OF_APPEARANCE)).map((f) => `${what}, ${theme}: ${f}`))
    }
    if (others.length) await wear(first)
    faults.push(...(await namelessOf(page)).map((line) => `${what}: no name: ${line}`))
    const strange = await page.evaluate(strangeThing)
    if (strange) faults.push(`${what}: ${strange}`)
    await page.setViewportSize(SIZES.zoomed)
    const width = await page.evaluate(() => document.documentElement.scrollWidth)
    if (width > SIZES.zoomed.width) faults.push(`${what} is ${width} pixels wide`)
    await page.setViewportSize(SIZES.desktop)
  }
  return { ...seat, faults, look }
}

// Every page; with --all what may lie above it as well.
async function everyPage(language, themes) {
  const { page, faults, look, ...seat } = await looksAround(language, themes)
  const seen = new Set()
  for (const path of await placesOf(page)) {
    await page.goto(path)
    await settled(page)
    if (path.startsWith(`/incidents/${much}`)) await page.locator('details:not([open]) > summary').first().click()
    await look(path)
    if (all) await eachLayer(page, path, seen, (what) => look(`${path}, ${what}`))
  }
  await page.goto('/queue')
  await settled(page)
  await page.keyboard.press('?')
  await page.getByRole('dialog').waitFor()
  await look('help')
  await page.keyboard.press('Escape')
  if (much && !all) {
    await page.goto(`/incidents/${much}`)
    await settled(page)
    await page.keyboard.press('c')
    await page.getByRole('dialog').waitFor()
    await look('close')
    await page.keyboard.press('Escape')
    await page.locator('button.value:visible').first().click()
    await look('value menu')
  }
  assert.equal(faults.length, 0, faults.join('\n'))
  if (all) assert.ok(seen.size >= (much ? 25 : 8), [...seen].join(' | '))
  await leave(seat)
}

// What a page shows when Vaka cannot answer it.
async function nothingAnswers(language, themes) {
  const { page, faults, look, ...seat } = await looksAround(language, themes)
  const broken = { status: 500, contentType: 'application/problem+json', body: '{"title":"Internal error","status":500}' }
  await page.route(/\/api\/v1\/(?!session|events)/, (route) => route.fulfill(broken))
  for (const path of PAGES) {
    await page.goto(path)
    await settled(page)
    await look(path)
  }
  assert.equal(faults.length, 0, faults.join('\n'))
  await seat.context.close()
}

// One appearance in one language each time; all of them before a release (script/slow everybody).
const [themes, languages] = all ? [THEMES, ['sv', 'en']] : [['dark'], ['sv']]
for (const language of languages)
  await check(`axe finds nothing on any page, and none is too wide (${themes.join(', ')}; ${language})`, () =>
    everyPage(language, themes)
  )
if (all)
  await check(`the same while nothing is answered (${themes.join(', ')}; sv)`, () => nothingAnswers('sv', themes))

await flow('sv', 'the focus goes where one goes, and back again', async ({ t, sit }) => {
  const seat = await sit({}, 'anna')
  const { page } = seat
  // Waited for: a page takes the focus when it has been drawn.
  const focusIs = (selector) => page.locator(`${selector}:focus`).waitFor()
  await page.goto('/queue')
  await settled(page)
  await page.keyboard.press('Tab')
  await focusIs('.skip')
  await page.keyboard.press('Enter')
  await page.getByRole('link', { name: t('Nu', 'Now'), exact: true }).click()
  await isAt(page, '/')
  await focusIs('main')
  const account = page.getByRole('button', { name: /anna/ })
  await account.focus()
  await page.keyboard.press('Enter')
  await page.locator('[popover]:popover-open :focus').waitFor()
  await page.keyboard.press('ArrowDown')
  await focusIs('[popover] [aria-pressed]')
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: /anna/ }).and(page.locator(':focus')).waitFor()
  await leave(seat)
})

await flow('sv', 'shortcuts of one key can be switched off, and are silent while one types', async ({ t, sit }) => {
  const seat = await sit({}, 'anna')
  const { page } = seat
  await page.goto('/queue')
  await settled(page)
  await page.getByLabel(t(/^Nämner/, /^Names/)).fill('1')
  await page.getByLabel(t(/^Nämner/, /^Names/)).press('1')
  assert.equal(new URL(page.url()).pathname, '/queue')
  await page.locator('h1').click()
  await page.keyboard.press('?')
  await page.getByLabel(t('Kortkommandon med en tangent är på', 'Shortcuts of a single key are on')).uncheck()
  await page.keyboard.press('Escape')
  await page.keyboard.press('1')
  await page.keyboard.press('?')
  assert.equal(await page.getByRole('dialog').count(), 0)
  assert.equal(new URL(page.url()).pathname, '/queue')
  await leave(seat)
})

const numberOf = (text) => Number(text.replace(/\D/g, ''))

async function tablesTellTheSame({ t, sit }) {
  const seat = await sit({}, 'anna')
  const { page } = seat
  await page.goto('/search?q=user.name: * | count')
  const figure = page.locator('figure', { has: page.getByRole('img') })
  await figure.locator('summary').focus()
  await page.keyboard.press('Enter')
  await figure.getByRole('table').waitFor()
  const answer = page.getByRole('table', { name: t('Svar', 'Answer') })
  const found = numberOf(await answer.locator('td').first().textContent())
  const told = await figure.locator('tbody td').allTextContents()
  assert.ok(found > 100)
  assert.equal(told.map(numberOf).reduce((a, b) => a + b), found)
  await page.goto(`/incidents/${much}`)
  const drawn = page.locator('svg:has(.edge)')
  await drawn.waitFor()
  const rows = page.locator('.case-links details tbody tr')
  assert.equal(await rows.count(), await drawn.locator('.edge').count())
  await leave(seat)
}
if (much) await flow('sv', 'what a chart shows stands in a table as well', tablesTellTheSame)

await check('nothing moves for who does not want it to', async () => {
  const moving = async (reducedMotion) => {
    const seat = await sit({ reducedMotion }, 'anna')
    await seat.page.keyboard.press('?')
    await seat.page.getByRole('dialog').waitFor()
    const n = await seat.page.evaluate(() => {
      const styles = [...document.querySelectorAll('*')].map((e) => getComputedStyle(e))
      return styles.filter((s) => s.animationName !== 'none' || !/^(0s, )*0s$/.test(s.transitionDuration)).length
    })
    await leave(seat)
    return n
  }
  assert.ok((await moving('no-preference')) > 0)
  assert.equal(await moving('reduce'), 0)
})

await check('what cannot be fetched is fetched again, and of another version the console begins anew', async () => {
  const seat = await sit({}, 'anna')
  const { page } = seat
  let asked = 0
  await page.route('**/assets/search-*.js', (route) => (asked++ < 2 ? route.abort() : route.continue()))
  await page.locator('.rail a[href="/search"]').click()
  await page.getByRole('combobox').first().waitFor()
  assert.equal(asked, 3)
  // Another version has no script of that name, and its page asks for none.
  let begun = false
  await page.route('**/assets/queue-*.js', (route) => (begun ? route.continue() : route.fulfill({ status: 404 })))
  page.on('request', (request) => {
    begun ||= request.isNavigationRequest()
  })
  await page.locator('.rail a[href="/queue"]').click()
  await page.getByRole('heading', { name: 'Kö', exact: true }).waitFor()
  assert.equal(await page.evaluate(() => performance.getEntriesByType('navigation')[0].type), 'reload')
  await leave(seat)
})

await check('little has to be fetched: 40 kB of script at first', async () => {
  const seat = await sit({})
  const { page } = seat
  const scripts = () =>
    page.evaluate(() =>
      performance
        .getEntriesByType('resource')
        .filter((r) => r.name.endsWith('.js'))
        .reduce((sum, r) => sum + r.encodedBodySize, 0)
    )
  const login = await scripts()
  await logIn(page, 'anna', password)
  await settled(page)
  const first = await scripts()
  console.log(`# script: login ${login} bytes, with the first page ${first} bytes`)
  assert.ok(first > 10_000 && first <= 40 * 1024, `${first} bytes`)
  await leave(seat)
})

await browser.close()
end()
