// SPDX-License-Identifier: EUPL-1.2
// Rules of one's own from the editor, and exceptions: kept, compared, brought back, taken away.
// upkeep.mjs runs it.
import { findFaults, rowOf } from './browser.mjs'
import { settled } from './house.mjs'
import { assert, check } from './tap.mjs'

const button = (page, name) => page.getByRole('button', { name, exact: true })

// Goes on by Tab until the control of that role and name has the focus.
async function tabTo(page, role, name) {
  const wanted = page.getByRole(role, { name, exact: true }).and(page.locator(':focus'))
  for (let i = 0; i < 90; i++) {
    if (await wanted.count()) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`Tab does not lead to ${role} ${name}`)
}

async function isKept({ sit, leave }) {
  const seat = await sit({}, 'anna')
  const { page } = seat
  await page.goto(`/search?q=${encodeURIComponent('user.name: elin.nyman')}`)
  await page.getByRole('link', { name: 'Gör till regel' }).click()
  await page.getByText('Regeln kan användas.').waitFor()
  await button(page, 'Spara regeln').click()
  await page.waitForURL(/\/rules\/[0-9a-f-]{36}$/, { timeout: 90_000 })
  await page.getByRole('link', { name: 'Ändra', exact: true }).click()
  const editor = page.getByRole('textbox', { name: 'Regelns text' })
  await editor.click()
  await page.keyboard.press('Control+End')
  await page.keyboard.type('\n# En rad till')
  await page.getByText('Ändringarna är inte sparade.').waitFor()
  await page.getByText('Regeln kan användas.').waitFor()
  await button(page, 'Spara regeln').click()
  await page.getByText('Ändringarna är inte sparade.').waitFor({ state: 'detached' })
  const versions = page.locator('section', { has: page.getByRole('heading', { name: 'Versioner' }) })
  await versions.getByText('sparad av anna').nth(1).waitFor({ timeout: 90_000 })
  // The older one lacks the line that the text at hand has.
  await button(versions, 'Jämför').nth(1).click()
  await versions.locator('.diff .new', { hasText: '# En rad till' }).waitFor()
  assert.deepEqual(await findFaults(page), [])
  await button(page, 'Hämta den här versionen').click()
  await page.getByText('Ändringarna är inte sparade.').waitFor()
  assert.equal(await editor.getByText('# En rad till').count(), 0)
  await page.getByText('Regeln kan användas.').waitFor()
  await button(page, 'Spara regeln').click()
  await versions.getByText('sparad av anna').nth(2).waitFor({ timeout: 90_000 })
  const rule = new URL(page.url()).pathname.replace('/edit', '')
  await page.goto(rule)
  await page.locator('pre.raw', { hasText: 'elin.nyman' }).waitFor()
  assert.equal(await page.locator('pre.raw', { hasText: '# En rad till' }).count(), 0)
  assert.deepEqual(await findFaults(page), [])
  await button(page, 'Ta bort …').click()
  await button(page.getByRole('dialog'), 'Ta bort').click()
  await page.waitForURL((at) => at.pathname === '/rules', { timeout: 90_000 })
  await page.goto(rule)
  await page.getByText('Det finns inte, eller inte längre.').waitFor()
  await leave(seat)
}

async function isKeptByKeyboard({ sit, leave }) {
  const seat = await sit({ language: 'en', theme: 'light' }, 'anna')
  const { page } = seat
  await page.goto('/rules')
  await settled(page)
  await tabTo(page, 'link', 'New rule')
  await page.keyboard.press('Enter')
  await page.getByText('The rule can be used.').waitFor()
  await tabTo(page, 'textbox', 'Text of the rule')
  await page.keyboard.press('Control+Home')
  await page.keyboard.press('End')
  await page.keyboard.type(' by keyboard')
  await page.getByText('What happened, in a few words by keyboard', { exact: true }).last().waitFor()
  await page.getByText('The rule can be used.').waitFor()
  await tabTo(page, 'button', 'Save the rule')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'What happened, in a few words by keyboard' }).waitFor({ timeout: 90_000 })
  await tabTo(page, 'button', 'Take away …')
  await page.keyboard.press('Enter')
  await tabTo(page, 'button', 'Take away')
  await page.keyboard.press('Enter')
  await page.waitForURL((at) => at.pathname === '/rules', { timeout: 90_000 })
  await leave(seat)
}

async function isRefused({ sit, leave }) {
  const seat = await sit({ language: 'en' }, 'anna')
  const { page } = seat
  await page.goto('/rules/new')
  await page.getByText('The rule can be used.').waitFor()
  await page.getByRole('textbox', { name: 'Text of the rule' }).click()
  await page.keyboard.press('Control+End')
  await page.keyboard.type('x: [')
  await page.getByText(/^\d+ mistakes?$/).waitFor()
  assert.ok(await button(page, 'Save the rule').isDisabled())
  await leave(seat)
  const vera = await sit({ language: 'en' }, 'vera')
  await vera.page.goto('/rules/new')
  await vera.page.getByRole('heading', { name: 'You lack the right' }).waitFor()
  await vera.page.goto('/rules')
  await vera.page.locator('td.what a').first().click()
  await vera.page.getByRole('heading', { name: 'What it looks for' }).waitFor()
  assert.equal(await vera.page.getByRole('button', { name: /Exception|Suppress|Take away/ }).count(), 0)
  await leave(vera)
}

async function exceptionIsMade({ sit, leave }) {
  const seat = await sit({}, 'anna')
  const { page } = seat
  await page.goto('/rules?q=Shadow+copies')
  await page.locator('td.what a').first().click()
  const panel = page.locator('section', { has: page.getByRole('heading', { name: 'Undantag', exact: true }) })
  await panel.getByText('Inga undantag.').waitFor()
  await button(panel, 'Undantag …').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Larma inte när').fill('nothing of the kind')
  await dialog.getByLabel('Skäl').fill('Säkerhetskopieringen gör så')
  await button(dialog, 'Undanta').click()
  await dialog.getByRole('alert').waitFor()
  assert.deepEqual(await findFaults(page), [])
  await dialog.getByLabel('Larma inte när').fill('User|endswith: backup\nHost: srv-backup01')
  await dialog.getByLabel('Dagar').fill('30')
  await button(dialog, 'Undanta').click()
  await dialog.waitFor({ state: 'detached', timeout: 90_000 })
  await rowOf(panel, 'Säkerhetskopieringen gör så').getByText('anna').waitFor()
  await page.goto('/rules?view=exceptions')
  const row = rowOf(page, 'Säkerhetskopieringen gör så')
  await button(row, 'Ta bort …').focus()
  await page.keyboard.press('Enter')
  await tabTo(page, 'button', 'Ta bort')
  await page.keyboard.press('Enter')
  await row.waitFor({ state: 'detached', timeout: 90_000 })
  await page.getByText('Inga undantag.').waitFor()
  await leave(seat)
}

export async function withRules(house) {
  await check('a rule is kept from the editor, compared with what it was, brought back and taken away', () => isKept(house))
  await check('the same by keyboard alone, in English', () => isKeptByKeyboard(house))
  await check('what is no rule cannot be kept, and who may only read is offered nothing else', () => isRefused(house))
  await check('an exception has conditions, a reason and an end, and is lifted by keyboard', () => exceptionIsMade(house))
}
