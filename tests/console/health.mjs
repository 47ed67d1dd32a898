// SPDX-License-Identifier: EUPL-1.2
// How the watch is: what is proven, lost, kept and practised, and who of another organisation sees nothing
// of it. upkeep.mjs runs it.
import { findFaults, press, rowOf } from './browser.mjs'
import { settled } from './house.mjs'
import { assert, check } from './tap.mjs'

async function isHealthy({ sit, leave }) {
  const seat = await sit({}, 'alla')
  const { page } = seat
  await page.goto('/health')
  await settled(page)
  await page.getByText('Ingen väktare på en annan dator').waitFor()
  for (const fact of ['Loggposter', 'Förseglade', 'Senaste sigillpunkt', 'Segment under bevarandekrav', 'Disk'])
    await page.locator('dt', { hasText: fact }).first().waitFor()
  const store = rowOf(page, 'store')
  await store.locator('summary').focus()
  await page.keyboard.press('Enter')
  await store.locator('dt', { hasText: 'slowest_commit_us' }).waitFor()
  await leave(seat)
}

async function isProvenAndHeld({ sit, leave }) {
  const seat = await sit({}, 'alla')
  const { page } = seat
  await page.goto('/health')
  await settled(page)
  await page.getByRole('button', { name: 'Pröva hela kedjan' }).focus()
  await page.keyboard.press('Enter')
  await page.getByText(/^(Hel|Kan inte bevisas): /).waitFor()
  const holds = page.locator('section', { has: page.getByRole('heading', { name: 'Bevarandekrav', exact: true }) })
  await holds.getByText('Inget hålls kvar').waitFor()
  await press(holds, 'Bevara …')
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Loggposter').fill('5-1')
  await dialog.getByLabel('Skäl').fill('Polisanmälan 5000-K1')
  await press(dialog, 'Bevara')
  await dialog.getByRole('alert').waitFor()
  await dialog.getByLabel('Loggposter').fill('1-5')
  await press(dialog, 'Bevara')
  await rowOf(holds, 'Polisanmälan 5000-K1').getByText('alla').waitFor()
  assert.deepEqual(await findFaults(page), [])
  await rowOf(holds, '1-5').getByRole('button', { name: 'Häv …' }).focus()
  await page.keyboard.press('Enter')
  await press(page.getByRole('dialog'), 'Häv')
  await holds.getByText('Inget hålls kvar').waitFor()
  await leave(seat)
}

async function isDrilled({ sit, leave }) {
  const seat = await sit({ language: 'en' }, 'alla')
  const { page } = seat
  await page.goto('/health')
  await settled(page)
  const panel = page.locator('section', { has: page.getByRole('heading', { name: 'Drills', exact: true }) })
  await panel.getByRole('button', { name: 'Drill now …' }).focus()
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('fredagskvall').check()
  assert.deepEqual(await findFaults(page), [])
  await press(dialog, 'Begin')
  await panel.getByText('fredagskvall').waitFor()
  // It ends, and what it came to stands there without anybody asking.
  await panel.getByText('A drill goes on.').waitFor({ state: 'detached' })
  await panel.locator('dt', { hasText: 'Detected' }).locator('xpath=following-sibling::dd[1]', { hasText: 'after' }).waitFor()
  assert.deepEqual(await findFaults(page), [])
  await leave(seat)
}

// Pages of the first organisation are not offered, and the others have nothing of it.
async function anotherSeesItsOwn({ ask, sit, leave }) {
  await ask('tenant')
  const seat = await sit({}, 'tove')
  const { page } = seat
  await settled(page)
  const asked = []
  page.on('response', (answer) => {
    if (answer.status() >= 400) asked.push(`${answer.status()} ${new URL(answer.url()).pathname}`)
  })
  const names = await page.locator('.rail li a').allTextContents()
  assert.deepEqual(names.filter((name) => /Källor|Drift/.test(name)), [])
  await page.goto('/queue')
  await settled(page)
  assert.equal(await page.locator('tbody tr').count(), 0)
  await page.goto('/queue?view=alerts')
  await settled(page)
  assert.equal(await page.locator('tbody tr').count(), 0)
  await page.goto('/rules')
  await settled(page)
  assert.deepEqual(await page.getByRole('tab').allTextContents(), ['Regler', 'Dämpningar'])
  assert.equal(await page.getByRole('link', { name: 'Ny regel' }).count(), 0)
  await page.locator('td.what a').first().click()
  await page.getByRole('heading', { name: 'Vad den söker' }).waitFor()
  await settled(page)
  assert.equal(await page.getByRole('heading', { name: 'Undantag' }).count(), 0)
  await page.goto('/inventory')
  await settled(page)
  assert.equal(await page.locator('tbody tr').count(), 0)
  await page.goto('/admin')
  await rowOf(page, 'tove').waitFor()
  assert.equal(await rowOf(page, 'anna').count(), 0)
  assert.equal(await page.getByRole('tab', { name: 'Inställningar' }).count(), 0)
  await page.goto('/me')
  await settled(page)
  assert.deepEqual(asked, [])
  for (const path of ['/health', '/sources', '/rules/new']) {
    await page.goto(path)
    await page.getByRole('heading', { name: 'Du saknar rättighet' }).waitFor()
  }
  await leave(seat)
}

export async function withHealth(house) {
  await check('health tells of the watchdog, of what is kept, and of each process', () => isHealthy(house))
  await check('the chain is checked by keyboard, and records are held and let go', () => isProvenAndHeld(house))
  await check('a drill is begun by keyboard, and tells what it came to', () => isDrilled(house))
  await check('who is of another organisation sees its own alone, and is asked for nothing else', () => anotherSeesItsOwn(house))
}
