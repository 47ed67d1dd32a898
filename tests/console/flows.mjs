// SPDX-License-Identifier: EUPL-1.2
// What people do in the console, from the first visit on: node flows.mjs WISHES (see console.py).
import { atTheDesk } from './desk.mjs'
import { findFaults, logIn } from './browser.mjs'
import { begin, PAGES, settled } from './house.mjs'
import { assert, check, end } from './tap.mjs'
import { codeOf } from './totp.mjs'

const house = await begin()
const { url, password, invite, much, most, browser, ask, sit, leave } = house
const own = 'en lykta pa kajen i natt 7'
const field = (page, label) => page.getByLabel(label, { exact: true })
const press = (page, name) => page.getByRole('button', { name, exact: true }).click()
const rowOf = (page, text) => page.locator('tbody tr', { hasText: text })
const isAt = (page, path) => page.waitForURL((at) => at.pathname === path)

// ---- the first visit ----

await check('a wrong password is refused without saying what was wrong', async () => {
  const seat = await sit({ language: 'en', theme: 'light' })
  await seat.page.locator('input[autocomplete="username"]').fill('nobody')
  await seat.page.locator('input[autocomplete="current-password"]').fill('not this one')
  await press(seat.page, 'Log in')
  await seat.page.getByRole('alert').getByText('Name or password is not right.').waitFor()
  assert.deepEqual(await findFaults(seat.page), [])
  await leave(seat)
})

await check('the first visit leads to a password, an app, and a source that is heard', async () => {
  const seat = await sit({ theme: 'light' })
  const { page } = seat
  await logIn(page, 'chef', invite)
  await field(page, 'Lösenordet du fick').fill(invite)
  await field(page, 'Ditt nya lösenord').fill('kort')
  await field(page, 'En gång till').fill('kort')
  await press(page, 'Spara')
  await page.locator('.field .wrong').waitFor()
  assert.deepEqual(await findFaults(page), [])
  await field(page, 'Ditt nya lösenord').fill(own)
  await field(page, 'En gång till').fill(own)
  await press(page, 'Spara')
  await field(page, 'Ditt lösenord').fill(own)
  await press(page, 'Visa koden')
  await page.locator('.qr svg').waitFor()
  assert.deepEqual(await findFaults(page), [])
  const secret = await page.locator('form code').textContent()
  await field(page, 'Koden som appen visar').fill('000000')
  await press(page, 'Bekräfta')
  await page.locator('.field .wrong, .note.bad').first().waitFor()
  await field(page, 'Koden som appen visar').fill(codeOf(secret))
  await press(page, 'Bekräfta')
  await page.locator('.recovery li').first().waitFor()
  const codes = await page.locator('.recovery li').allTextContents()
  assert.equal(codes.length, 10)
  await press(page, 'Jag har sparat dem')
  await page.locator('.shell').waitFor()
  await page.goto('/welcome')
  await page.getByText('Jag hör dig').first().waitFor()
  assert.deepEqual(await findFaults(page), [])
  await page.context().clearCookies()
  await page.goto('/')
  await logInWithCode(page, codes[0])
  await leave(seat)
})

async function logInWithCode(page, code) {
  await page.locator('input[autocomplete="username"]').fill('chef')
  await page.locator('input[autocomplete="current-password"]').fill(own)
  await press(page, 'Logga in')
  await field(page, 'Kod från appen').fill(code)
  await press(page, 'Fortsätt')
  await page.locator('.shell').waitFor()
}

await ask('relax')

// ---- alert, acknowledge, investigate, close ----

await check('an alert comes in, is acknowledged, looked into and closed, in Swedish', async () => {
  const seat = await sit({}, 'anna')
  const { page } = seat
  await page.locator('.on-call strong').waitFor()
  await page.goto('/queue')
  await page.locator('tbody tr').first().waitFor()
  await ask('alarm/elin.alm')
  await page.getByRole('button', { name: /^1 ny – visa$/ }).click()
  await rowOf(page, 'elin.alm').getByRole('link').click()
  await page.getByRole('heading', { name: 'Larmade' }).waitFor()
  await page.keyboard.press('e')
  await page.getByRole('dialog', { name: 'Eskalera till nästa steg' }).waitFor()
  await page.keyboard.press('Escape')
  await press(page, 'Kvittera')
  await page.locator('.tag', { hasText: 'kvitterad' }).waitFor()
  await press(page, 'Nej')
  await page.locator('.gate-panel').waitFor({ state: 'detached' })
  await page.locator('.rang summary').first().click()
  await page.locator('.raw', { hasText: 'VAKAMARK user=elin.alm' }).waitFor()
  await press(page, 'Bedömd')
  await page.locator('.tag', { hasText: 'bedömd' }).waitFor()
  await press(page, 'Anteckna …')
  await field(page, 'Vad du vet, såg eller gjorde').fill('Ringde Elin: det var hon.')
  await press(page, 'Spara')
  await page.locator('.words', { hasText: 'Ringde Elin' }).waitFor()
  await press(page, 'Stäng …')
  await page.getByLabel('falsklarm').check()
  await page.getByLabel(/^Skäl/).fill('Väntad inloggning')
  await page.getByRole('dialog').getByRole('button', { name: 'Stäng', exact: true }).click()
  await page.getByText('Stängd som falsklarm: Väntad inloggning').waitFor()
  await leave(seat)
})

await check('the same by keyboard alone, in English', async () => {
  const seat = await sit({ language: 'en' }, 'anna')
  const { page } = seat
  await ask('alarm/karin.ek')
  await page.keyboard.press('2')
  await isAt(page, '/queue')
  const row = rowOf(page, 'karin.ek')
  await row.waitFor()
  for (let i = 0; i < 60 && !(await row.getAttribute('class')).includes('here'); i++) await page.keyboard.press('j')
  await page.keyboard.press('Enter')
  await page.waitForURL(/incidents/)
  await page.getByRole('heading', { name: /^Incident/ }).waitFor()
  await page.keyboard.press('a')
  await page.locator('.tag', { hasText: 'acknowledged' }).waitFor()
  await page.keyboard.press('c')
  const dialog = page.getByRole('dialog')
  await dialog.waitFor()
  await tabTo(page, /^radio /)
  await page.keyboard.press('Space')
  await tabTo(page, /^radio true_positive/)
  await page.keyboard.press('ArrowDown')
  await tabTo(page, /^textarea/)
  await page.keyboard.type('Expected')
  await tabTo(page, /^button Close/)
  await page.keyboard.press('Enter')
  await page.getByText('Closed as benign: Expected').waitFor()
  await leave(seat)
})

// Goes on by Tab until that control has the focus.
async function tabTo(page, wanted) {
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

// ---- several people, and a server that goes away ----

await check('two people see what the other does, and none overrules the other unknowingly', async () => {
  const anna = await sit({}, 'anna')
  const bo = await sit({ language: 'en' }, 'bo')
  await anna.page.goto(`/incidents/${most}`)
  await anna.page.getByRole('button', { name: 'Kvittera', exact: true }).waitFor()
  await bo.page.goto(`/incidents/${most}`)
  await press(bo.page, 'Acknowledge')
  await anna.page.locator('.tag', { hasText: 'kvitterad' }).waitFor()
  await anna.page.getByText('bo', { exact: true }).first().waitFor()
  // What anna has not heard of yet.
  await anna.page.route(`**/api/v1/incidents/${most}`, (route) =>
    route.request().method() === 'GET' ? route.abort() : route.continue()
  )
  await press(bo.page, 'Triaged')
  await bo.page.locator('.tag', { hasText: 'triaged' }).waitFor()
  await press(anna.page, 'Bedömd')
  await anna.page.getByText('Någon annan hann före').waitFor()
  await anna.context.close()
  await leave(bo)
})

await check('a page that is open while the server starts anew goes on, and loses nothing', async () => {
  const seat = await sit({}, 'anna')
  const { page } = seat
  await page.goto('/queue')
  await page.locator('tbody tr').first().waitFor()
  await page.evaluate(() => {
    window.still = true
  })
  const gone = page.getByText('Återansluter …').waitFor()
  await ask('restart')
  await gone
  await ask('alarm/olle.by')
  await page.getByRole('button', { name: /ny – visa$/ }).click()
  await rowOf(page, 'olle.by').waitFor()
  assert.equal(await page.evaluate(() => window.still), true)
  await page.getByText('Återansluter …').waitFor({ state: 'detached' })
  await seat.context.close()
})

await check('who may only read is offered nothing else', async () => {
  const seat = await sit({}, 'vera')
  await seat.page.goto(`/incidents/${much}`)
  await seat.page.getByRole('heading', { name: `Incident ${much}` }).waitFor()
  assert.equal(await seat.page.getByRole('button', { name: /Kvittera|Stäng|Anteckna/ }).count(), 0)
  await seat.page.goto('/queue')
  await seat.page.locator('tbody tr').first().waitFor()
  assert.equal(await seat.page.locator('tbody input[type=checkbox]').count(), 0)
  await leave(seat)
})

await check('several are acknowledged at once, and closed with one note', async () => {
  for (const name of ['massa.ett', 'massa.tva']) await ask(`alarm/${name}`)
  const seat = await sit({}, 'bo')
  const { page } = seat
  await page.goto('/queue?level=high')
  for (const name of ['massa.ett', 'massa.tva']) await rowOf(page, name).getByRole('checkbox').check()
  await page.getByRole('toolbar').getByRole('button', { name: 'Stäng …' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Nej').check()
  await dialog.getByLabel('ofarligt').check()
  await dialog.getByLabel(/^Skäl/).fill('Övning')
  await dialog.getByRole('button', { name: 'Stäng', exact: true }).click()
  await page.getByText('2 incidenter stängda').waitFor()
  assert.equal(await rowOf(page, 'massa').count(), 0)
  await leave(seat)
})

// ---- search, rules, who is on call, sources, accounts ----

await atTheDesk(house)

// ---- everybody can use it ----

for (const theme of ['light', 'dark', 'contrast'])
  await check(`axe finds nothing on any page (${theme})`, async () => {
    const seat = await sit({ theme, language: theme === 'light' ? 'en' : 'sv' }, 'alla')
    const { page } = seat
    const faults = []
    const look = async (what) => faults.push(...(await findFaults(page)).map((f) => `${what}: ${f}`))
    for (const path of PAGES) {
      await page.goto(path)
      await settled(page)
      if (path.startsWith(`/incidents/${much}`)) await page.locator('details:not([open]) > summary').first().click()
      await look(path)
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
    await page.locator('.value:visible').first().click()
    await look('value menu')
    assert.deepEqual(faults, [])
    await leave(seat)
  })

await check('nothing is wider than 320 pixels, and all of it can be reached', async () => {
  const seat = await sit({ size: 'zoomed' }, 'alla')
  const { page } = seat
  const wide = []
  for (const path of PAGES) {
    await page.goto(path)
    await settled(page)
    const width = await page.evaluate(() => document.documentElement.scrollWidth)
    if (width > 320) wide.push(`${path}: ${width}`)
  }
  assert.deepEqual(wide, [])
  await leave(seat)
})

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

// ---- what attackers write ----

await check('what a log says is text, in every view', async () => {
  await ask('hostile')
  const seat = await sit({}, 'anna')
  const { page, wrong } = seat
  await page.goto('/queue')
  await page.locator('tbody tr', { hasText: 'window.xss' }).first().waitFor()
  const incidents = await page.locator('tbody tr', { hasText: 'window.xss' }).getByRole('link').evaluateAll((links) => links.map((a) => a.getAttribute('href')))
  for (const path of [...incidents.flatMap((i) => [i, `${i}?view=alerts`]), '/', '/wall', '/queue?view=alerts', '/search?q=VAKAMARK', '/search?q=VAKAMARK | count by user.name']) {
    await page.goto(path)
    await settled(page)
    for (const button of await page.locator('button.link:visible').all()) await button.click()
    for (const closed of await page.locator('details:not([open]) > summary').all()) await closed.click({ timeout: 2000 }).catch(() => {})
    for (const value of (await page.locator('.value:visible').all()).slice(0, 12)) {
      await value.click({ timeout: 2000 }).catch(() => {})
      await page.keyboard.press('Escape')
    }
  }
  assert.equal(await page.evaluate(() => window.xss), undefined)
  assert.equal(await page.locator('img, svg [onload], [onclick], iframe').count(), 0)
  assert.deepEqual(wrong, [])
  await leave(seat)
})

await check('a login leads nowhere else, and no other page frames it', async () => {
  const seat = await sit({}, 'anna')
  const { page } = seat
  await page.evaluate(() => sessionStorage.setItem('vaka.back', '//evil.example/'))
  await page.goto('/login/return?state=a&code=b')
  await page.waitForTimeout(300)
  assert.equal(new URL(page.url()).origin, new URL(url).origin)
  const framed = await seat.context.newPage()
  await framed.setContent(`<iframe src="${url}/"></iframe>`)
  await framed.waitForTimeout(500)
  const inner = framed.frames()[1]
  assert.equal(await inner.locator('#app').count().catch(() => 0), 0)
  await seat.context.close()
})

await check('another session begins with each login', async () => {
  const seat = await sit({})
  const cookie = async () => (await seat.context.cookies()).find((c) => c.name === '__Host-vaka')?.value
  const planted = 'a'.repeat(43)
  await seat.context.addCookies([{ name: '__Host-vaka', value: planted, url, secure: true, httpOnly: true, sameSite: 'Strict' }])
  await logIn(seat.page, 'anna', password)
  const first = await cookie()
  assert.notEqual(first, planted)
  await press(seat.page, /anna/)
  await press(seat.page, 'Logga ut')
  await seat.page.locator('input[autocomplete="username"]').waitFor()
  await logIn(seat.page, 'anna', password)
  assert.notEqual(await cookie(), first)
  await seat.context.close()
})

// ---- size ----

await check('little has to be fetched: 40 kB of script at first, 120 kB in all', async () => {
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
  // Everything there is, but for the editor of rules.
  const all = await sit({}, 'alla')
  const sizes = new Map()
  for (const path of ['/', '/queue', '/incidents/2', '/search', '/oncall', '/rules/new', '/wall', '/welcome']) {
    await all.page.goto(path)
    await settled(all.page)
    await all.page.waitForTimeout(500)
    const scripts = await all.page.evaluate(() =>
      performance.getEntriesByType('resource').filter((r) => r.name.endsWith('.js')).map((r) => [r.name, r.encodedBodySize])
    )
    for (const [name, size] of scripts) if (!/\/editor-/.test(name)) sizes.set(name, size)
  }
  const sum = [...sizes.values()].reduce((a, b) => a + b, 0)
  console.log(`# script: ${sum} bytes in ${sizes.size} files, but for the editor`)
  assert.ok(sum > 60_000 && sum <= 120 * 1024, `${sum} bytes`)
  await leave(all)
})

await browser.close()
end()
