// SPDX-License-Identifier: EUPL-1.2
// How the watch is: what is proven, lost, kept and practised, and who of another organisation sees nothing
// of it. upkeep.mjs runs it.
import { findFaults, press, rowOf } from './browser.mjs'
import { settled } from './house.mjs'
import { assert } from './tap.mjs'

async function isHealthy({ t, sit, leave }) {
  const seat = await sit({}, 'alla')
  const { page } = seat
  await page.goto('/health')
  await settled(page)
  await page.getByText(t('Ingen väktare på en annan dator', 'No watchdog on another computer')).waitFor()
  for (const fact of [t('Loggposter', 'Records'), t('Förseglade', 'Sealed'), t('Senaste sigillpunkt', 'Last checkpoint'), t('Segment under bevarandekrav', 'Segments under a legal hold'), 'Disk'])
    await page.locator('dt', { hasText: fact }).first().waitFor()
  const store = rowOf(page, 'store')
  await store.locator('summary').focus()
  await page.keyboard.press('Enter')
  await store.locator('dt', { hasText: 'slowest_commit_us' }).waitFor()
  await leave(seat)
}

async function isProvenAndHeld({ t, sit, leave }) {
  const seat = await sit({}, 'alla')
  const { page } = seat
  await page.goto('/health')
  await settled(page)
  await page.getByRole('button', { name: t('Pröva hela kedjan', 'Check the whole chain') }).focus()
  await page.keyboard.press('Enter')
  await page.getByText(t(/^(Hel|Kan inte bevisas): /, /^(Intact|Cannot be proven): /)).waitFor()
  const holds = page.locator('section', { has: page.getByRole('heading', { name: t('Bevarandekrav', 'Legal holds'), exact: true }) })
  await holds.getByText(t('Inget hålls kvar', 'Nothing is held')).waitFor()
  await press(holds, t('Bevara …', 'Hold …'))
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel(t('Loggposter', 'Records')).fill('5-1')
  await dialog.getByLabel(t('Skäl', 'Reason')).fill('Polisanmälan 5000-K1')
  await press(dialog, t('Bevara', 'Hold'))
  await dialog.getByRole('alert').waitFor()
  await dialog.getByLabel(t('Loggposter', 'Records')).fill('1-5')
  await press(dialog, t('Bevara', 'Hold'))
  await rowOf(holds, 'Polisanmälan 5000-K1').getByText(t('alla', 'all')).waitFor()
  assert.deepEqual(await findFaults(page), [])
  await rowOf(holds, '1-5').getByRole('button', { name: t('Häv …', 'Lift …') }).focus()
  await page.keyboard.press('Enter')
  await press(page.getByRole('dialog'), t('Häv', 'Lift'))
  await holds.getByText(t('Inget hålls kvar', 'Nothing is held')).waitFor()
  await leave(seat)
}

async function isDrilled({ t, sit, leave }) {
  const seat = await sit({}, 'alla')
  const { page } = seat
  await page.goto('/health')
  await settled(page)
  const panel = page.locator('section', { has: page.getByRole('heading', { name: t('Övningar', 'Drills'), exact: true }) })
  await panel.getByRole('button', { name: t('Öva nu …', 'Drill now …') }).focus()
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('fredagskvall').check()
  assert.deepEqual(await findFaults(page), [])
  await press(dialog, t('Börja', 'Begin'))
  await panel.getByText('fredagskvall').waitFor()
  // It ends, and what it came to stands there without anybody asking.
  await panel.getByText(t('En övning pågår.', 'A drill goes on.')).waitFor({ state: 'detached' })
  await panel.locator('dt', { hasText: t('Upptäckt', 'Detected') }).locator('xpath=following-sibling::dd[1]', { hasText: t('efter', 'after') }).waitFor()
  assert.deepEqual(await findFaults(page), [])
  await leave(seat)
}

// Pages of the first organisation are not offered, and the others have nothing of it.
async function anotherSeesItsOwn({ t, ask, sit, leave }) {
  await ask('tenant')
  const seat = await sit({}, 'tove')
  const { page } = seat
  await settled(page)
  const asked = []
  page.on('response', (answer) => {
    if (answer.status() >= 400) asked.push(`${answer.status()} ${new URL(answer.url()).pathname}`)
  })
  const names = await page.locator('.rail li a').allTextContents()
  assert.deepEqual(names.filter((name) => /Källor|Drift|Sources|Health/.test(name)), [])
  await page.goto('/queue')
  await settled(page)
  assert.equal(await page.locator('tbody tr').count(), 0)
  await page.goto('/queue?view=alerts')
  await settled(page)
  assert.equal(await page.locator('tbody tr').count(), 0)
  await page.goto('/rules')
  await settled(page)
  assert.deepEqual(await page.getByRole('tab').allTextContents(), [t('Regler', 'Rules'), t('Dämpningar', 'Suppressions')])
  assert.equal(await page.getByRole('link', { name: t('Ny regel', 'New rule') }).count(), 0)
  await page.locator('td.what a').first().click()
  await page.getByRole('heading', { name: t('Vad den söker', 'What it looks for') }).waitFor()
  await settled(page)
  assert.equal(await page.getByRole('heading', { name: t('Undantag', 'Exceptions') }).count(), 0)
  await page.goto('/inventory')
  await settled(page)
  assert.equal(await page.locator('tbody tr').count(), 0)
  await page.goto('/admin')
  await rowOf(page, 'tove').waitFor()
  assert.equal(await rowOf(page, 'anna').count(), 0)
  assert.equal(await page.getByRole('tab', { name: t('Inställningar', 'Settings') }).count(), 0)
  await page.goto('/me')
  await settled(page)
  assert.deepEqual(asked, [])
  for (const path of ['/health', '/sources', '/rules/new']) {
    await page.goto(path)
    await page.getByRole('heading', { name: t('Du saknar rättighet', 'You lack the right') }).waitFor()
  }
  await leave(seat)
}

export async function withHealth({ flow }) {
  await flow('sv', 'health tells of the watchdog, of what is kept, and of each process', isHealthy)
  await flow('sv', 'the chain is checked by keyboard, and records are held and let go', isProvenAndHeld)
  await flow('en', 'a drill is begun by keyboard, and tells what it came to', isDrilled)
  await flow('sv', 'who is of another organisation sees its own alone, and is asked for nothing else', anotherSeesItsOwn)
}
