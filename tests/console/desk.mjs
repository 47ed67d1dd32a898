// SPDX-License-Identifier: EUPL-1.2
// What people do at a desk: search, write a rule, change who is on call, look after sources and
// accounts. flows.mjs runs it in its own house.
import { readFile } from 'node:fs/promises'
import { rowOf } from './browser.mjs'
import { settled } from './house.mjs'
import { assert } from './tap.mjs'

async function searches({ t, sit, leave }) {
  const seat = await sit({}, 'anna')
  const { page } = seat
  await page.goto('/search')
  await settled(page)
  const box = page.getByRole('combobox', { name: t('Sökning', 'Query') })
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
  await page.getByRole('img', { name: t('Händelser över tid', 'Events over time') }).waitFor()
  // A row opens where it stands, by keyboard; what is understood and the record are both there.
  await page.locator('.events tbody tr').first().waitFor()
  await page.locator('h1').click()
  await page.keyboard.press('j')
  await page.keyboard.press('Enter')
  await page.locator('.opened').getByRole('button', { name: 'elin.nyman' }).first().waitFor()
  await page.locator('.opened').getByRole('tab', { name: t('Loggposten', 'The record') }).click()
  await page.locator('.opened pre', { hasText: 'elin.nyman' }).waitFor()
  // Fields have their most frequent values, and a value narrows the search.
  await page.locator('.field-list').getByRole('button', { name: /^event\.action/ }).click()
  await page.locator('.tops button.value').first().click()
  await page.locator(':popover-open').getByText(t('Uteslut ur sökningen', 'Exclude from the search')).click()
  await page.locator('.pill.not', { hasText: 'event.action' }).waitFor()
  assert.equal(await page.locator('.pill').count(), 2)
  await page.locator('.pill.not button').click()
  await page.locator('.pill.not').waitFor({ state: 'detached' })
  assert.equal(await page.locator('.pill').count(), 1)
  await leave(seat)
}

async function isCorrected({ t, sit, leave }) {
  const seat = await sit({ theme: 'light' }, 'anna')
  const { page } = seat
  await page.goto(`/search?q=${encodeURIComponent('user.name: * | cuont by user.name')}`)
  await page.locator('mark', { hasText: 'cuont' }).waitFor()
  await page.getByRole('button', { name: t('Skriv count', 'Write count') }).click()
  await rowOf(page, 'elin.nyman').first().waitFor()
  // All of it as a file.
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: t('Exportera', 'Export') }).click().then(() => page.getByText(t('CSV, för kalkylprogram', 'CSV, for spreadsheets')).click())
  ])
  const text = await readFile(await download.path(), 'utf8')
  assert.match(text, /^\ufeffuser\.name,count\r\n/)
  assert.match(text, /^elin\.nyman,\d+\r$/m)
  await leave(seat)
}

async function writesARule({ t, sit, leave }) {
  const seat = await sit({ theme: 'light' }, 'anna')
  const { page } = seat
  await page.goto(`/search?q=${encodeURIComponent('user.name: elin.nyman')}`)
  await page.getByRole('link', { name: t('Gör till regel', 'Make a rule') }).click()
  await page.getByText(t('Regeln kan användas.', 'The rule can be used.')).waitFor()
  const editor = page.getByRole('textbox', { name: t('Regelns text', 'Text of the rule') })
  await editor.click()
  await page.keyboard.press('Control+End')
  await page.keyboard.type('x: [')
  await page.getByText(t(/^\d+ fel$/, /^\d+ mistakes?$/)).waitFor()
  assert.equal(await page.locator('.wrong-line').count(), 1)
  for (let n = 0; n < 'x: ['.length; n++) await page.keyboard.press('Backspace')
  await page.getByText(t('Regeln kan användas.', 'The rule can be used.')).waitFor()
  // What it would have found, before it is kept.
  await page.getByRole('button', { name: t('Pröva', 'Try') }).click()
  await page.getByText(t(/^Prövad mot/, /^Tried on/)).waitFor({ timeout: 60_000 })
  const alerts = await page.locator('dt', { hasText: t(/^Larm$/, /^Alerts$/) }).locator('xpath=following-sibling::dd[1]').textContent()
  assert.match(alerts, /^[1-9]/)
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: t('Spara som fil', 'Save as a file') }).click()
  ])
  assert.match(await readFile(await download.path(), 'utf8'), /'user\.name': 'elin\.nyman'/)
  await leave(seat)
}

async function readsRules({ t, sit, leave }) {
  const seat = await sit({}, 'anna')
  const { page } = seat
  await page.goto('/rules?view=coverage')
  await page.getByRole('link', { name: /T1003\.003/ }).count()
  await page.locator('a.cell', { hasText: 'T1110' }).first().click()
  await page.waitForURL((at) => at.searchParams.get('technique')?.startsWith('T1110'))
  await page.locator('td.what a').first().click()
  await page.getByRole('heading', { name: t('Vad den söker', 'What it looks for') }).waitFor()
  await page.getByText(t('ska larma', 'has to fire')).first().waitFor()
  await leave(seat)
}

async function changesWhoIsOnCall({ t, ask, sit, leave }) {
  await ask('plan')
  const seat = await sit({}, 'alla')
  const { page } = seat
  await page.goto('/oncall')
  const now = page.locator('.on-call-now .headline')
  const before = (await now.textContent()).trim()
  await rowOf(page, before).first().getByRole('button', { name: t(/^Ändra passet/, /^Change the shift/) }).focus()
  await page.keyboard.press('Enter')
  await page.getByText(t('Tillfälligt byte …', 'Override …')).and(page.locator(':focus')).waitFor()
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel(t('Från', 'From')).fill('tomorrow')
  await dialog.getByText(t('Skriv som 2026-12-24 08:00', 'Write it like 2026-12-24 08:00')).waitFor()
  const hour = new Date(Date.now() - 3_600_000)
  await dialog.getByLabel(t('Från', 'From')).fill(hour.toLocaleString('sv-SE', { timeZone: 'Europe/Stockholm' }).slice(0, 16))
  await dialog.getByLabel(t('Skäl', 'Reason')).fill('Vaccination')
  await page.keyboard.press('Enter')
  await page.getByText(t('Sparat. De det gäller får veta.', 'Saved. Those it is about are told.')).waitFor()
  await page.waitForFunction((name) => !document.querySelector('.on-call-now')?.textContent.includes(name), before)
  await page.goto('/oncall?view=changes')
  await rowOf(page, 'Vaccination').getByRole('button', { name: t(/^Ta tillbaka ändring/, /^Take change/) }).click()
  await page.getByRole('dialog').getByRole('button', { name: t('Ta tillbaka', 'Take back') }).click()
  await page.waitForFunction((name) => document.querySelector('.on-call-now')?.textContent.includes(name), before)
  await leave(seat)
}

async function looksAfterSources({ t, sit, leave }) {
  const seat = await sit({}, 'anna')
  const { page } = seat
  await page.goto('/sources')
  await rowOf(page, 'tester').waitFor()
  await page.getByRole('tab', { name: t('Förlustbok', 'Loss ledger') }).click()
  await page.getByText(t('Inget har gått förlorat sedan start', 'Nothing was lost since the start')).waitFor()
  await page.goto('/health')
  await rowOf(page, 'triage').getByText(t('svarar', 'answers')).waitFor()
  await leave(seat)
}

async function looksAfterAccounts({ t, sit, leave }) {
  const seat = await sit({}, 'alla')
  const { page } = seat
  await page.goto('/admin')
  await page.getByRole('button', { name: t('Nytt konto', 'New account') }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel(t('Namn', 'Name'), { exact: true }).fill('nils')
  await dialog.getByLabel(t('analytiker', 'analyst')).check()
  await dialog.getByRole('button', { name: t('Nytt konto', 'New account') }).click()
  await page.getByRole('heading', { name: t('Lösenord för nils', 'Password of nils') }).waitFor()
  assert.ok((await page.locator('.recipe').textContent()).length >= 12)
  await page.keyboard.press('Escape')
  await rowOf(page, 'nils').getByText(t('läsare, analytiker', 'viewer, analyst')).waitFor()
  await rowOf(page, 'nils').getByRole('button', { name: t('Ändra nils', 'Change nils') }).click()
  await page.locator(':popover-open').getByText(t('Ta bort …', 'Remove …')).click()
  await page.getByRole('dialog').getByRole('button', { name: t('Ta bort', 'Remove') }).click()
  await rowOf(page, 'nils').waitFor({ state: 'detached' })
  await page.getByRole('tab', { name: t('Kontologg', 'Account log') }).click()
  await rowOf(page, 'user.remove').waitFor()
  await page.getByRole('tab', { name: t('Inställningar', 'Settings') }).click()
  await page.getByLabel(t('Hitta inställning', 'Find a setting')).fill('search.time')
  await page.getByRole('heading', { name: 'search.time' }).waitFor()
  await page.goto('/inventory')
  await page.getByRole('button', { name: t('Ny tillgång', 'New asset') }).click()
  await page.getByRole('dialog').getByLabel(t('Dator', 'Computer')).fill('SCADA-SRV01')
  await page.getByRole('dialog').getByLabel(t('Vikt', 'Importance')).selectOption('critical')
  await page.getByRole('dialog').getByRole('button', { name: t('Spara', 'Save') }).click()
  await rowOf(page, 'SCADA-SRV01').getByText(t('kritisk', 'critical')).waitFor()
  await leave(seat)
}

export async function atTheDesk({ flow }) {
  await flow('sv', 'a search is completed, opened in place and narrowed', searches)
  await flow('en', 'a mistake in a query is shown where it is, and what was found is a file', isCorrected)
  await flow('sv', 'a search becomes a rule that is tried before it is kept', writesARule)
  await flow('en', 'what ATT&CK covers leads to rules and their tests', readsRules)
  await flow('en', 'who is on call is changed by keyboard, and changed back', changesWhoIsOnCall)
  await flow('sv', 'sources and what was lost of them are seen', looksAfterSources)
  await flow('sv', 'an account is made and removed, and the log has both', looksAfterAccounts)
}
