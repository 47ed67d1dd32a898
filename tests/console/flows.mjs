// SPDX-License-Identifier: EUPL-1.2
// What people do in the console, day by day: node flows.mjs WISHES (see console.py).
import { atTheDesk } from './desk.mjs'
import { field, findFaults, isAt, logIn, press, rowOf, tabTo } from './browser.mjs'
import { begin, settled } from './house.mjs'
import { assert, end } from './tap.mjs'

const house = await begin()
const { url, password, much, more, browser, ask, leave, flow } = house

await ask('relax')

// ---- alert, acknowledge, investigate, close ----

await flow('sv', 'an alert comes in, is acknowledged, looked into and closed', async ({ t, sit }) => {
  const seat = await sit({}, 'anna')
  const { page } = seat
  await page.locator('.on-call strong').waitFor()
  await page.goto('/queue')
  await page.locator('tbody tr').first().waitFor()
  await ask('alarm/elin.alm')
  await page.getByRole('button', { name: t(/^1 ny – visa$/, /^1 new – show$/) }).click()
  await rowOf(page, 'elin.alm').getByRole('link').click()
  await page.getByRole('heading', { name: t('Larmade', 'Paged') }).waitFor()
  await page.keyboard.press('e')
  await page.getByRole('dialog', { name: t('Eskalera till nästa steg', 'Escalate to the next step') }).waitFor()
  await page.keyboard.press('Escape')
  await press(page, t('Kvittera', 'Acknowledge'))
  await page.locator('.tag', { hasText: t('kvitterad', 'acknowledged') }).waitFor()
  await press(page, t('Nej', 'No'))
  await page.locator('.gate-panel').waitFor({ state: 'detached' })
  await page.locator('.rang summary').first().click()
  await page.locator('.raw', { hasText: 'VAKAMARK user=elin.alm' }).waitFor()
  await press(page, t('Bedömd', 'Triaged'))
  await page.locator('.tag', { hasText: t('bedömd', 'triaged') }).waitFor()
  await press(page, t('Anteckna …', 'Note …'))
  await field(page, t('Vad du vet, såg eller gjorde', 'What you know, saw or did')).fill('Ringde Elin: det var hon.')
  await press(page, t('Spara', 'Save'))
  await page.locator('.words', { hasText: 'Ringde Elin' }).waitFor()
  await press(page, t('Stäng …', 'Close …'))
  await page.getByLabel(t('falsklarm', 'false positive')).check()
  await page.getByLabel(t(/^Skäl/, /^Reason/)).fill('Väntad inloggning')
  await page.getByRole('dialog').getByRole('button', { name: t('Stäng', 'Close'), exact: true }).click()
  await page.getByText(t('Stängd som falsklarm: Väntad inloggning', 'Closed as false positive: Väntad inloggning')).waitFor()
  await leave(seat)
})

await flow('en', 'the same by keyboard alone', async ({ t, sit }) => {
  const seat = await sit({}, 'anna')
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
  await page.locator('.tag', { hasText: t('kvitterad', 'acknowledged') }).waitFor()
  await page.keyboard.press('c')
  const dialog = page.getByRole('dialog')
  await dialog.waitFor()
  await tabTo(page, /^radio /)
  await page.keyboard.press('Space')
  await tabTo(page, /^radio true_positive/)
  await page.keyboard.press('ArrowDown')
  await tabTo(page, /^textarea/)
  await page.keyboard.type('Expected')
  await tabTo(page, t(/^button Stäng/, /^button Close/))
  await page.keyboard.press('Enter')
  await page.getByText(t('Stängd som ofarligt: Expected', 'Closed as benign: Expected')).waitFor()
  await leave(seat)
})

// ---- several people, and a server that goes away ----

await flow('sv', 'two people see what the other does, and none overrules the other unknowingly', async ({ t, sit, other }) => {
  const anna = await sit({}, 'anna')
  const bo = await other.sit({}, 'bo')
  await anna.page.goto(`/incidents/${more}`)
  await anna.page.getByRole('button', { name: t('Kvittera', 'Acknowledge'), exact: true }).waitFor()
  await bo.page.goto(`/incidents/${more}`)
  await press(bo.page, other.t('Kvittera', 'Acknowledge'))
  await anna.page.locator('.tag', { hasText: t('kvitterad', 'acknowledged') }).waitFor()
  await anna.page.getByText('bo', { exact: true }).first().waitFor()
  // What anna has not heard of yet.
  await anna.page.route(`**/api/v1/incidents/${more}`, (route) =>
    route.request().method() === 'GET' ? route.abort() : route.continue()
  )
  await press(bo.page, other.t('Bedömd', 'Triaged'))
  await bo.page.locator('.tag', { hasText: other.t('bedömd', 'triaged') }).waitFor()
  await press(anna.page, t('Bedömd', 'Triaged'))
  await anna.page.getByText(t('Någon annan hann före', 'Somebody was faster')).waitFor()
  await anna.context.close()
  await leave(bo)
})

await flow('sv', 'a page that is open while the server starts anew goes on, and loses nothing', async ({ t, sit }) => {
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
  await page.getByText(t('Återansluter …', 'Reconnecting …')).waitFor()
  await ask('alarm/olle.by')
  const isThere = async () => {
    const answer = await page.request.get('/api/v1/incidents?entity=olle.by')
    return answer.ok() && (await answer.json()).incidents.length > 0
  }
  while (!(await isThere())) await page.waitForTimeout(200)
  await page.unroute('**/api/v1/events')
  await page.getByRole('button', { name: t(/ny – visa$/, /new – show$/) }).click()
  await rowOf(page, 'olle.by').waitFor()
  assert.equal(await page.evaluate(() => window.still), true)
  await page.getByText(t('Återansluter …', 'Reconnecting …')).waitFor({ state: 'detached' })
  await seat.context.close()
})

await flow('sv', 'who may only read is offered nothing else', async ({ t, sit }) => {
  const seat = await sit({}, 'vera')
  await seat.page.goto(`/incidents/${much}`)
  await seat.page.getByRole('heading', { name: `Incident ${much}` }).waitFor()
  assert.equal(await seat.page.getByRole('button', { name: t(/Kvittera|Stäng|Anteckna/, /Acknowledge|Close|Note/) }).count(), 0)
  await seat.page.goto('/queue')
  await seat.page.locator('tbody tr').first().waitFor()
  assert.equal(await seat.page.locator('tbody input[type=checkbox]').count(), 0)
  await leave(seat)
})

await flow('sv', 'several are acknowledged at once, and closed with one note', async ({ t, sit }) => {
  for (const name of ['massa.ett', 'massa.tva']) await ask(`alarm/${name}`)
  const seat = await sit({}, 'bo')
  const { page } = seat
  await page.goto('/queue?level=high')
  for (const name of ['massa.ett', 'massa.tva']) await rowOf(page, name).getByRole('checkbox').check()
  await page.getByRole('toolbar').getByRole('button', { name: t('Stäng …', 'Close …') }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel(t('Nej', 'No'), { exact: true }).check()
  await dialog.getByLabel(t('ofarligt', 'benign')).check()
  await dialog.getByLabel(t(/^Skäl/, /^Reason/)).fill('Övning')
  await dialog.getByRole('button', { name: t('Stäng', 'Close'), exact: true }).click()
  await page.getByText(t('2 incidenter stängda', '2 incidents closed')).waitFor()
  assert.equal(await rowOf(page, 'massa').count(), 0)
  await leave(seat)
})

// ---- search, rules, who is on call, sources, accounts ----

await atTheDesk(house)

// ---- what attackers write ----

await flow('sv', 'what a log says is text, in every view', async ({ sit }) => {
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

await flow('sv', 'a login leads nowhere else, and no other page frames it', async ({ sit }) => {
  const seat = await sit({}, 'anna')
  const { page } = seat
  // As an identity provider sends people back, with what a page may have left in the browser.
  const session = await (await page.request.get('/api/v1/session')).text()
  const returned = { status: 200, contentType: 'application/json', body: session }
  await page.route('**/api/v1/session/return', (route) => route.fulfill(returned))
  await seat.context.clearCookies()
  for (const [back, path] of [['/queue', '/queue'], ['//evil.example/', '/'], ['/\\evil.example', '/'], ['https://evil.example/', '/']]) {
    await page.goto('/')
    await page.evaluate((to) => sessionStorage.setItem('vaka.back', to), back)
    await page.goto('/login/return?state=a&code=b')
    await page.waitForURL((at) => at.pathname !== '/login/return')
    assert.equal(page.url(), new URL(path, url).href, back)
  }
  const framed = await seat.context.newPage()
  await framed.setContent(`<iframe src="${url}/"></iframe>`)
  await framed.waitForTimeout(500)
  const inner = framed.frames()[1]
  assert.equal(await inner.locator('#app').count().catch(() => 0), 0)
  await seat.context.close()
})

await flow('sv', 'another session begins with each login', async ({ t, sit }) => {
  const seat = await sit({})
  const cookie = async () => (await seat.context.cookies()).find((c) => c.name === '__Host-vaka')?.value
  const planted = 'a'.repeat(43)
  await seat.context.addCookies([{ name: '__Host-vaka', value: planted, url, secure: true, httpOnly: true, sameSite: 'Strict' }])
  await logIn(seat.page, 'anna', password)
  const first = await cookie()
  assert.notEqual(first, planted)
  await press(seat.page, /anna/)
  await press(seat.page, t('Logga ut', 'Log out'))
  await seat.page.locator('input[autocomplete="username"]').waitFor()
  await logIn(seat.page, 'anna', password)
  assert.notEqual(await cookie(), first)
  await seat.context.close()
})

await flow('sv', 'ones own sessions end with the password', async ({ t, sit }) => {
  const seat = await sit({})
  const other = await sit({})
  await logIn(seat.page, 'anna', password)
  await logIn(other.page, 'anna', password)
  await seat.page.goto('/me')
  await press(seat.page, t('Avsluta alla andra', 'End all others'))
  const dialog = seat.page.getByRole('dialog', { name: t('Avsluta alla andra inloggningar?', 'End all other sessions?') })
  await dialog.waitFor()
  assert.deepEqual(await findFaults(seat.page), [])
  await dialog.getByLabel(t('Ditt lösenord', 'Your password')).fill('inte lösenordet')
  await dialog.getByRole('button', { name: t('Avsluta', 'End'), exact: true }).click()
  await dialog.getByRole('alert').waitFor()
  await dialog.getByLabel(t('Ditt lösenord', 'Your password')).fill(password)
  await dialog.getByRole('button', { name: t('Avsluta', 'End'), exact: true }).click()
  await dialog.waitFor({ state: 'detached' })
  await other.page.reload()
  await other.page.locator('input[autocomplete="username"]').waitFor()
  await leave(seat)
  await leave(other)
})

await browser.close()
end()
