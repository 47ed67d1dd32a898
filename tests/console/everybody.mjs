// SPDX-License-Identifier: EUPL-1.2
// Everybody can use the console: what axe finds, narrow screens, the keyboard, motion, and how much
// has to be fetched. node everybody.mjs WISHES (see console.py).
import { findFaults, isAt, logIn, SIZES } from './browser.mjs'
import { begin, PAGES, settled } from './house.mjs'
import { assert, check, end } from './tap.mjs'

const { password, much, all, browser, ask, sit, leave } = await begin()
await ask('relax')

// Every page in that appearance, and what may lie above it; then on a screen of 320 pixels.
async function everyPage(theme, language) {
  const seat = await sit({ theme, language }, 'alla')
  const { page } = seat
  const faults = []
  const look = async (what) => faults.push(...(await findFaults(page)).map((f) => `${what}: ${f}`))
  for (const path of PAGES) {
    await page.goto(path)
    await settled(page)
    if (path.startsWith(`/incidents/${much}`)) await page.locator('details:not([open]) > summary').first().click()
    await look(path)
    await page.setViewportSize(SIZES.zoomed)
    const width = await page.evaluate(() => document.documentElement.scrollWidth)
    if (width > SIZES.zoomed.width) faults.push(`${path} is ${width} pixels wide`)
    await page.setViewportSize(SIZES.desktop)
  }
  await page.goto(`/incidents/${much}`)
  await settled(page)
  await page.keyboard.press('?')
  await page.getByRole('dialog').waitFor()
  await look('help')
  await page.keyboard.press('Escape')
  await page.keyboard.press('c')
  await page.getByRole('dialog').waitFor()
  await look('close')
  await page.keyboard.press('Escape')
  await page.locator('button.value:visible').first().click()
  await look('value menu')
  assert.deepEqual(faults, [])
  await leave(seat)
}

// One appearance each time; all of them before a release (script/slow everybody).
for (const [theme, language] of all ? [['light', 'en'], ['dark', 'sv'], ['contrast', 'en'], ['light', 'sv']] : [['dark', 'sv']])
  await check(`axe finds nothing on any page, and none is too wide (${theme}, ${language})`, () => everyPage(theme, language))

await check('the focus goes where one goes, and back again', async () => {
  const seat = await sit({}, 'anna')
  const { page } = seat
  // Waited for: a page takes the focus when it has been drawn.
  const focusIs = (selector) => page.locator(`${selector}:focus`).waitFor()
  await page.goto('/queue')
  await settled(page)
  await page.keyboard.press('Tab')
  await focusIs('.skip')
  await page.keyboard.press('Enter')
  await page.getByRole('link', { name: 'Nu', exact: true }).click()
  await isAt(page, '/')
  await focusIs('main')
  const account = page.getByRole('button', { name: /anna/ })
  await account.focus()
  await page.keyboard.press('Enter')
  await page.locator('[popover]:popover-open :focus').waitFor()
  await page.keyboard.press('ArrowDown')
  await focusIs('[role=menuitemradio]')
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: /anna/ }).and(page.locator(':focus')).waitFor()
  await leave(seat)
})

await check('shortcuts of one key can be switched off, and are silent while one types', async () => {
  const seat = await sit({}, 'anna')
  const { page } = seat
  await page.goto('/queue')
  await settled(page)
  await page.getByLabel(/^Nämner/).fill('1')
  await page.getByLabel(/^Nämner/).press('1')
  assert.equal(new URL(page.url()).pathname, '/queue')
  await page.locator('h1').click()
  await page.keyboard.press('?')
  await page.getByLabel('Kortkommandon med en tangent är på').uncheck()
  await page.keyboard.press('Escape')
  await page.keyboard.press('1')
  await page.keyboard.press('?')
  assert.equal(await page.getByRole('dialog').count(), 0)
  assert.equal(new URL(page.url()).pathname, '/queue')
  await leave(seat)
})

await check('nothing moves for who does not want it to', async () => {
  const moving = async (reducedMotion) => {
    const seat = await sit({ reducedMotion }, 'anna')
    await seat.page.keyboard.press('?')
    await seat.page.getByRole('dialog').waitFor()
    const n = await seat.page.evaluate(() => document.getAnimations().length)
    await leave(seat)
    return n
  }
  assert.equal(await moving('reduce'), 0)
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
