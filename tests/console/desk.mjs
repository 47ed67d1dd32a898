// SPDX-License-Identifier: EUPL-1.2
// What people do at a desk: search, write a rule, change who is on call, look after sources and
// accounts. flows.mjs runs it in its own house.
import { readFile } from 'node:fs/promises'
import { rowOf } from './browser.mjs'
import { settled } from './house.mjs'
import { assert, check } from './tap.mjs'


async function searches({ sit, leave }) {
  const seat = await sit({}, 'anna')
  const { page } = seat
  await page.goto('/search')
  await settled(page)
  const box = page.getByRole('combobox', { name: 'Sökning' })
  await page.keyboard.press('/')
  await page.keyboard.type('user.na')
  await page.getByRole('option', { name: 'user.name' }).waitFor()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  assert.equal(await box.inputValue(), 'user.name: ')
  await page.keyboard.type('elin')
  await page.getByRole('option', { name: /elin\.nyman/ }).waitFor()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await page.keyboard.press('Escape')
  await page.keyboard.press('Enter')
  await page.waitForURL((at) => at.searchParams.get('q') === 'user.name: elin.nyman')
  await page.getByRole('img', { name: 'Händelser över tid' }).waitFor()
  // A row opens where it stands, by keyboard; what is understood and the record are both there.
  await page.locator('.events tbody tr').first().waitFor()
  await page.locator('h1').click()
  await page.keyboard.press('j')
  await page.keyboard.press('Enter')
  await page.locator('.opened').getByRole('button', { name: 'elin.nyman' }).first().waitFor()
  await page.locator('.opened').getByRole('tab', { name: 'Loggposten' }).click()
  await page.locator('.opened pre', { hasText: 'elin.nyman' }).waitFor()
  // Fields have their most frequent values, and a value narrows the search.
  await page.locator('.field-list').getByRole('button', { name: /^event\.action/ }).click()
  await page.locator('.tops button.value').first().click()
  await page.locator(':popover-open').getByText('Uteslut ur sökningen').click()
  await page.locator('.pill.not', { hasText: 'event.action' }).waitFor()
  assert.equal(await page.locator('.pill').count(), 2)
  await page.locator('.pill.not button').click()
  await page.locator('.pill.not').waitFor({ state: 'detached' })
  assert.equal(await page.locator('.pill').count(), 1)
  await leave(seat)
}

async function isCorrected({ sit, leave }) {
  const seat = await sit({ language: 'en', theme: 'light' }, 'anna')
  const { page } = seat
  await page.goto(`/search?q=${encodeURIComponent('user.name: * | cuont by user.name')}`)
  await page.locator('mark', { hasText: 'cuont' }).waitFor()
  await page.getByRole('button', { name: 'Write count' }).click()
  await rowOf(page, 'elin.nyman').first().waitFor()
  // All of it as a file.
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Export' }).click().then(() => page.getByText('CSV, for spreadsheets').click())
  ])
  const text = await readFile(await download.path(), 'utf8')
  assert.match(text, /^\ufeffuser\.name,count\r\n/)
  assert.match(text, /^elin\.nyman,\d+\r$/m)
  await leave(seat)
}

async function writesARule({ sit, leave }) {
  const seat = await sit({ theme: 'light' }, 'anna')
  const { page } = seat
  await page.goto(`/search?q=${encodeURIComponent('user.name: elin.nyman')}`)
  await page.getByRole('link', { name: 'Gör till regel' }).click()
  await page.getByText('Regeln kan användas.').waitFor()
  const editor = page.getByRole('textbox', { name: 'Regelns text' })
  await editor.click()
  await page.keyboard.press('Control+End')
  await page.keyboard.type('x: [')
  await page.getByText(/^\d+ fel$/).waitFor()
  assert.equal(await page.locator('.wrong-line').count(), 1)
  for (let n = 0; n < 'x: ['.length; n++) await page.keyboard.press('Backspace')
  await page.getByText('Regeln kan användas.').waitFor()
  // What it would have found, before it is kept.
  await page.getByRole('button', { name: 'Pröva' }).click()
  await page.getByText(/^Prövad mot/).waitFor({ timeout: 60_000 })
  const alerts = await page.locator('dt', { hasText: /^Larm$/ }).locator('xpath=following-sibling::dd[1]').textContent()
  assert.match(alerts, /^[1-9]/)
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Spara som fil' }).click()
  ])
  assert.match(await readFile(await download.path(), 'utf8'), /'user\.name': 'elin\.nyman'/)
  await leave(seat)
}

async function readsRules({ sit, leave }) {
  const seat = await sit({ language: 'en' }, 'anna')
  const { page } = seat
  await page.goto('/rules?view=coverage')
  await page.getByRole('link', { name: /T1003\.003/ }).count()
  await page.locator('a.cell', { hasText: 'T1110' }).first().click()
  await page.waitForURL((at) => at.searchParams.get('technique')?.startsWith('T1110'))
  await page.locator('td.what a').first().click()
  await page.getByRole('heading', { name: 'What it looks for' }).waitFor()
  await page.getByText('has to fire').first().waitFor()
  await leave(seat)
}

async function changesWhoIsOnCall({ ask, sit, leave }) {
  await ask('plan')
  const seat = await sit({ language: 'en' }, 'alla')
  const { page } = seat
  await page.goto('/oncall')
  const now = page.locator('.on-call-now .headline')
  const before = (await now.textContent()).trim()
  await rowOf(page, before).first().getByRole('button', { name: /^Change the shift/ }).focus()
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => document.activeElement?.textContent === 'Override …')
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('From').fill('tomorrow')
  await dialog.getByText('Write it like 2026-12-24 08:00').waitFor()
  const hour = new Date(Date.now() - 3_600_000)
  await dialog.getByLabel('From').fill(hour.toLocaleString('sv-SE', { timeZone: 'Europe/Stockholm' }).slice(0, 16))
  await dialog.getByLabel('Reason').fill('Vaccination')
  await page.keyboard.press('Enter')
  await page.getByText('Saved. Those it is about are told.').waitFor()
  await page.waitForFunction((name) => !document.querySelector('.on-call-now')?.textContent.includes(name), before)
  await page.goto('/oncall?view=changes')
  await rowOf(page, 'Vaccination').getByRole('button', { name: /^Take change/ }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Take back' }).click()
  await page.waitForFunction((name) => document.querySelector('.on-call-now')?.textContent.includes(name), before)
  await leave(seat)
}

async function looksAfterSources({ sit, leave }) {
  const seat = await sit({}, 'anna')
  const { page } = seat
  await page.goto('/sources')
  await rowOf(page, 'tester').waitFor()
  await page.getByRole('tab', { name: 'Förlustbok' }).click()
  await page.getByText('Inget har gått förlorat sedan start').waitFor()
  await page.goto('/health')
  await rowOf(page, 'triage').getByText('svarar').waitFor()
  await leave(seat)
}

async function looksAfterAccounts({ sit, leave }) {
  const seat = await sit({}, 'alla')
  const { page } = seat
  await page.goto('/admin')
  await page.getByRole('button', { name: 'Nytt konto' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Namn', { exact: true }).fill('nils')
  await dialog.getByLabel('analytiker').check()
  await dialog.getByRole('button', { name: 'Nytt konto' }).click()
  await page.getByRole('heading', { name: 'Lösenord för nils' }).waitFor()
  assert.ok((await page.locator('.recipe').textContent()).length >= 12)
  await page.keyboard.press('Escape')
  await rowOf(page, 'nils').getByText('läsare, analytiker').waitFor()
  await rowOf(page, 'nils').getByRole('button', { name: 'Ändra nils' }).click()
  await page.locator(':popover-open').getByText('Ta bort …').click()
  await page.getByRole('dialog').getByRole('button', { name: 'Utför' }).click()
  await rowOf(page, 'nils').waitFor({ state: 'detached' })
  await page.getByRole('tab', { name: 'Kontologg' }).click()
  await rowOf(page, 'user.remove').waitFor()
  await page.getByRole('tab', { name: 'Inställningar' }).click()
  await page.getByLabel('Hitta inställning').fill('search.time')
  await page.getByRole('heading', { name: 'search.time' }).waitFor()
  await page.goto('/inventory')
  await page.getByRole('button', { name: 'Ny tillgång' }).click()
  await page.getByRole('dialog').getByLabel('Dator').fill('SCADA-SRV01')
  await page.getByRole('dialog').getByLabel('Vikt').selectOption('critical')
  await page.getByRole('dialog').getByRole('button', { name: 'Spara' }).click()
  await rowOf(page, 'SCADA-SRV01').getByText('kritisk').waitFor()
  await leave(seat)
}

export async function atTheDesk(house) {
  await check('a search is completed, opened in place and narrowed, in Swedish', () => searches(house))
  await check('a mistake in a query is shown where it is, and what was found is a file', () => isCorrected(house))
  await check('a search becomes a rule that is tried before it is kept', () => writesARule(house))
  await check('what ATT&CK covers leads to rules and their tests', () => readsRules(house))
  await check('who is on call is changed by keyboard, and changed back', () => changesWhoIsOnCall(house))
  await check('sources and what was lost of them are seen', () => looksAfterSources(house))
  await check('an account is made and removed, and the log has both', () => looksAfterAccounts(house))
}
