// SPDX-License-Identifier: EUPL-1.2
// What people do in the console, day by day: node flows.mjs WISHES (see console.py).
import { atTheDesk } from './desk.mjs'
import { field, findFaults, isAt, logIn, press, rowOf, tabTo } from './browser.mjs'
import { begin, settled } from './house.mjs'
import { assert, check, end } from './tap.mjs'

const house = await begin()
const { url, password, much, more, browser, ask, sit, leave } = house

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

// ---- several people, and a server that goes away ----

await check('two people see what the other does, and none overrules the other unknowingly', async () => {
  const anna = await sit({}, 'anna')
  const bo = await sit({ language: 'en' }, 'bo')
  await anna.page.goto(`/incidents/${more}`)
  await anna.page.getByRole('button', { name: 'Kvittera', exact: true }).waitFor()
  await bo.page.goto(`/incidents/${more}`)
  await press(bo.page, 'Acknowledge')
  await anna.page.locator('.tag', { hasText: 'kvitterad' }).waitFor()
  await anna.page.getByText('bo', { exact: true }).first().waitFor()
  // What anna has not heard of yet.
  await anna.page.route(`**/api/v1/incidents/${more}`, (route) =>
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
  // It is back only behind what happened meanwhile.
  await page.route('**/api/v1/events', (route) => route.abort())
  await ask('restart')
  await page.getByText('Återansluter …').waitFor()
  await ask('alarm/olle.by')
  const isThere = async () => {
    const answer = await page.request.get('/api/v1/incidents?entity=olle.by')
    return answer.ok() && (await answer.json()).incidents.length > 0
  }
  while (!(await isThere())) await page.waitForTimeout(200)
  await page.unroute('**/api/v1/events')
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

await check('ones own sessions end with the password', async () => {
  const seat = await sit({})
  const other = await sit({})
  await logIn(seat.page, 'anna', password)
  await logIn(other.page, 'anna', password)
  await seat.page.goto('/me')
  await press(seat.page, 'Avsluta alla andra')
  const dialog = seat.page.getByRole('dialog', { name: 'Avsluta alla andra inloggningar?' })
  await dialog.waitFor()
  assert.deepEqual(await findFaults(seat.page), [])
  await dialog.getByLabel('Ditt lösenord').fill('inte lösenordet')
  await dialog.getByRole('button', { name: 'Avsluta', exact: true }).click()
  await dialog.getByRole('alert').waitFor()
  await dialog.getByLabel('Ditt lösenord').fill(password)
  await dialog.getByRole('button', { name: 'Avsluta', exact: true }).click()
  await dialog.waitFor({ state: 'detached' })
  await other.page.reload()
  await other.page.locator('input[autocomplete="username"]').waitFor()
  await leave(seat)
  await leave(other)
})

await browser.close()
end()
