// SPDX-License-Identifier: EUPL-1.2
// Rules of one's own from the editor, exceptions, sets of rules and lists of indicators: kept, compared, brought
// back, taken away.
// upkeep.mjs runs it.
import { findFaults, rowOf } from './browser.mjs'
import { settled } from './house.mjs'
import { assert } from './tap.mjs'

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

async function isKept({ t, sit, leave }) {
  const seat = await sit({}, 'anna')
  const { page } = seat
  await page.goto(`/search?q=${encodeURIComponent('user.name: elin.nyman')}`)
  await page.getByRole('link', { name: t('Gör till regel', 'Make a rule') }).click()
  await page.getByText(t('Regeln kan användas.', 'The rule can be used.')).waitFor()
  await button(page, t('Spara regeln', 'Save the rule')).click()
  await page.waitForURL(/\/rules\/[0-9a-f-]{36}$/, { timeout: 90_000 })
  await page.getByRole('link', { name: t('Ändra', 'Change'), exact: true }).click()
  const editor = page.getByRole('textbox', { name: t('Regelns text', 'Text of the rule') })
  await editor.click()
  await page.keyboard.press('Control+End')
  await page.keyboard.type('\n# En rad till')
  await page.getByText(t('Ändringarna är inte sparade.', 'The changes are not saved.')).waitFor()
  await page.getByText(t('Regeln kan användas.', 'The rule can be used.')).waitFor()
  await button(page, t('Spara regeln', 'Save the rule')).click()
  await page.getByText(t('Ändringarna är inte sparade.', 'The changes are not saved.')).waitFor({ state: 'detached' })
  const versions = page.locator('section', { has: page.getByRole('heading', { name: t('Versioner', 'Versions') }) })
  await versions.getByText(t('sparad av anna', 'kept by anna')).nth(1).waitFor({ timeout: 90_000 })
  // The older one lacks the line that the text at hand has.
  await button(versions, t('Jämför', 'Compare')).nth(1).click()
  await versions.locator('.diff .new', { hasText: '# En rad till' }).waitFor()
  assert.deepEqual(await findFaults(page), [])
  await button(page, t('Hämta den här versionen', 'Take this version')).click()
  await page.getByText(t('Ändringarna är inte sparade.', 'The changes are not saved.')).waitFor()
  assert.equal(await editor.getByText('# En rad till').count(), 0)
  await page.getByText(t('Regeln kan användas.', 'The rule can be used.')).waitFor()
  await button(page, t('Spara regeln', 'Save the rule')).click()
  await versions.getByText(t('sparad av anna', 'kept by anna')).nth(2).waitFor({ timeout: 90_000 })
  const rule = new URL(page.url()).pathname.replace('/edit', '')
  await page.goto(rule)
  await page.locator('pre.raw', { hasText: 'elin.nyman' }).waitFor()
  assert.equal(await page.locator('pre.raw', { hasText: '# En rad till' }).count(), 0)
  assert.deepEqual(await findFaults(page), [])
  await button(page, t('Ta bort …', 'Take away …')).click()
  await button(page.getByRole('dialog'), t('Ta bort', 'Take away')).click()
  await page.waitForURL((at) => at.pathname === '/rules', { timeout: 90_000 })
  await page.goto(rule)
  await page.getByText(t('Det finns inte, eller inte längre.', 'It is not there, or not any more.')).waitFor()
  await leave(seat)
}

async function isKeptByKeyboard({ t, sit, leave }) {
  const seat = await sit({ theme: 'light' }, 'anna')
  const { page } = seat
  await page.goto('/rules')
  await settled(page)
  await tabTo(page, 'link', t('Ny regel', 'New rule'))
  await page.keyboard.press('Enter')
  await page.getByText(t('Regeln kan användas.', 'The rule can be used.')).waitFor()
  await tabTo(page, 'textbox', t('Regelns text', 'Text of the rule'))
  await page.keyboard.press('Control+Home')
  await page.keyboard.press('End')
  await page.keyboard.type(' by keyboard')
  const title = t('Vad som hände, med några få ord by keyboard', 'What happened, in a few words by keyboard')
  await page.getByText(title, { exact: true }).last().waitFor()
  await page.getByText(t('Regeln kan användas.', 'The rule can be used.')).waitFor()
  await tabTo(page, 'button', t('Spara regeln', 'Save the rule'))
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: title }).waitFor({ timeout: 90_000 })
  await tabTo(page, 'button', t('Ta bort …', 'Take away …'))
  await page.keyboard.press('Enter')
  await tabTo(page, 'button', t('Ta bort', 'Take away'))
  await page.keyboard.press('Enter')
  await page.waitForURL((at) => at.pathname === '/rules', { timeout: 90_000 })
  await leave(seat)
}

// The server runs the tests that the text carries, on the text as it is.
async function itsTestsAreRun({ t, sit, leave }) {
  const seat = await sit({}, 'anna')
  const { page } = seat
  await page.goto('/rules/new')
  await page.getByText(t('1 prov går igenom.', '1 test passes.')).waitFor()
  await page.getByRole('textbox', { name: t('Regelns text', 'Text of the rule') }).click()
  await page.keyboard.press('Control+End')
  // The editor keeps how far the line before was moved in.
  await page.keyboard.type("    - name: another program\n  fires: true\nevent: {Image: 'C:\\other.exe'}\n")
  await page.getByText(t('1 prov går inte igenom.', '1 test does not pass.')).waitFor()
  await page.getByText(t('regeln larmade inte', 'the rule did not fire')).waitFor()
  assert.deepEqual(await findFaults(page), [])
  await page.keyboard.type('x: [')
  await page.getByText(t(/^inte giltig YAML/, /^not valid YAML/)).first().waitFor()
  await leave(seat)
}

const SECOND = '00000000-0000-4000-8000-000000000002'

// A release of others: taken in, put into force, a rule of it switched off, compared, taken out of force.
async function setIsUsed({ t, ask, sit, leave }) {
  const pack = Buffer.from(await ask('pack'), 'base64')
  const seat = await sit({}, 'anna')
  const { page } = seat
  await page.goto('/rules?view=sets')
  await page.getByText(t('Inga regelsamlingar är importerade.', 'No sets of rules are imported.')).waitFor()
  await button(page, t('Importera …', 'Import …')).click()
  const dialog = page.getByRole('dialog')
  const zip = (buffer) => ({ name: 'city.zip', mimeType: 'application/zip', buffer })
  const file = dialog.getByLabel(t('Zip-fil', 'Zip file'))
  await file.setInputFiles(zip(Buffer.from('no zip')))
  await dialog.getByLabel(t('Regelsamling', 'Set of rules'), { exact: true }).fill('city')
  await button(dialog, t('Importera', 'Import')).click()
  await dialog.getByRole('alert').getByText(t('varken en mapp eller en zip-fil', 'neither a folder nor a zip')).waitFor()
  await file.setInputFiles(zip(pack))
  await button(dialog, t('Importera', 'Import')).click()
  await dialog.getByText(t('2 regler, 2 påslagna', '2 rules, 2 switched on')).waitFor()
  await dialog.getByText(t('1 fil kunde inte användas', '1 file could not be used')).click()
  await dialog.getByText(t('den nödvändiga nyckeln', 'the mandatory key')).waitFor()
  assert.deepEqual(await findFaults(page), [])
  await button(dialog, t('Stäng', 'Close')).click()
  const set = page.locator('section', { has: page.getByRole('heading', { name: 'city', exact: true }) })
  const inForce = set.getByText(t('i kraft', 'in force'), { exact: true })
  await button(set, t('Använd …', 'Use …')).click()
  await button(dialog, t('Använd', 'Use')).click()
  await inForce.waitFor({ timeout: 90_000 })
  await button(set, t('Slå på eller av en regel …', 'Switch a rule on or off …')).click()
  await dialog.getByLabel(t('Regelns id', 'Id of the rule')).fill(SECOND)
  await button(dialog, t('Ställ om', 'Switch')).click()
  await dialog.waitFor({ state: 'detached', timeout: 90_000 })
  await set.locator('tbody tr').nth(1).getByText(t('i kraft', 'in force'), { exact: true }).waitFor()
  await button(set, t('Jämför', 'Compare')).last().click()
  await rowOf(set, SECOND).getByText(t('på → av', 'on → off')).waitFor()
  assert.deepEqual(await findFaults(page), [])
  await button(set, t('Ta ur kraft …', 'Take out of force …')).click()
  await button(dialog, t('Ta ur kraft', 'Take out of force')).click()
  await inForce.waitFor({ state: 'detached', timeout: 90_000 })
  await leave(seat)
}

async function listIsMade({ t, sit, leave }) {
  const seat = await sit({ theme: 'light' }, 'anna')
  const { page } = seat
  const none = page.getByText(t('Inga listor i kraft.', 'No lists in force.'))
  await page.goto('/rules?view=indicators')
  await none.waitFor()
  await tabTo(page, 'button', t('Ny lista …', 'New list …'))
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel(t('Namn', 'Name')).fill('city')
  const text = 'value,description\nevil.example,one\n203.0.113.7,two\n10.0.0.1,ours\n'
  await dialog.getByLabel(t('Fil', 'File')).setInputFiles({ name: 'f.csv', mimeType: 'text/csv', buffer: Buffer.from(text) })
  await button(dialog, t('Spara', 'Save')).click()
  await dialog.getByText(t('2 indikatorer i city', '2 indicators in city')).waitFor({ timeout: 90_000 })
  await dialog.getByText(t('adressen är privat', 'the address is private')).waitFor()
  assert.deepEqual(await findFaults(page), [])
  await button(dialog, t('Stäng', 'Close')).click()
  await rowOf(page, 'city').getByRole('link', { name: 'city' }).click()
  await rowOf(page, 'evil.example').getByText('one').waitFor()
  assert.deepEqual(await findFaults(page), [])
  await button(rowOf(page, 'evil.example'), t('Ta bort …', 'Take off …')).click()
  await button(dialog, t('Ta bort', 'Take away')).click()
  await rowOf(page, 'evil.example').waitFor({ state: 'detached', timeout: 90_000 })
  await button(page, t('Lägg till …', 'Add …')).click()
  await dialog.getByLabel(t('Innehåll', 'Content')).fill('worse.example')
  await button(dialog, t('Spara', 'Save')).click()
  await button(dialog, t('Stäng', 'Close')).click({ timeout: 90_000 })
  await rowOf(page, 'worse.example').waitFor()
  await page.getByRole('link', { name: t('Alla listor', 'All lists') }).click()
  await button(rowOf(page, 'city'), t('Ta bort …', 'Take away …')).click()
  await button(dialog, t('Ta bort', 'Take away')).click()
  await none.waitFor({ timeout: 90_000 })
  await leave(seat)
}

// The list of rules by how much each fired.
async function noiseIsShown({ t, sit, leave }) {
  const seat = await sit({}, 'vera')
  const { page } = seat
  await page.goto('/rules?order=noise')
  const cells = page.locator(`td[data-label="${t('Larm', 'Alerts')}"]`)
  await cells.first().locator('span').waitFor()
  const counts = (await cells.allInnerTexts()).map((text) => Number(text.replace(/\D/g, '')))
  assert.ok(counts[0] > 0, counts.slice(0, 3).join())
  assert.deepEqual(counts, [...counts].sort((a, b) => b - a))
  await page.locator('tbody tr').first().locator('a').click()
  await page.getByText(t(/larm på 7 dygn och/, /alerts in 7 days and/)).waitFor()
  await leave(seat)
}

async function isRefused({ t, sit, leave }) {
  const seat = await sit({}, 'anna')
  const { page } = seat
  await page.goto('/rules/new')
  await page.getByText(t('Regeln kan användas.', 'The rule can be used.')).waitFor()
  await page.getByRole('textbox', { name: t('Regelns text', 'Text of the rule') }).click()
  await page.keyboard.press('Control+End')
  await page.keyboard.type('x: [')
  await page.getByText(t(/^\d+ fel$/, /^\d+ mistakes?$/)).waitFor()
  assert.ok(await button(page, t('Spara regeln', 'Save the rule')).isDisabled())
  await leave(seat)
  const vera = await sit({}, 'vera')
  await vera.page.goto('/rules/new')
  await vera.page.getByRole('heading', { name: t('Du saknar rättighet', 'You lack the right') }).waitFor()
  await vera.page.goto('/rules')
  await vera.page.locator('td.what a').first().click()
  await vera.page.getByRole('heading', { name: t('Vad den söker', 'What it looks for') }).waitFor()
  assert.equal(await vera.page.getByRole('button', { name: t(/Undantag|Dämpa|Ta bort/, /Exception|Suppress|Take away/) }).count(), 0)
  await leave(vera)
}

async function exceptionIsMade({ t, sit, leave }) {
  const seat = await sit({}, 'anna')
  const { page } = seat
  await page.goto('/rules?q=Shadow+copies')
  await page.locator('td.what a').first().click()
  const panel = page.locator('section', { has: page.getByRole('heading', { name: t('Undantag', 'Exceptions'), exact: true }) })
  await panel.getByText(t('Inga undantag.', 'No exceptions.')).waitFor()
  await button(panel, t('Undantag …', 'Exception …')).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel(t('Larma inte när', 'Do not fire when')).fill('nothing of the kind')
  await dialog.getByLabel(t('Skäl', 'Reason')).fill('Säkerhetskopieringen gör så')
  await button(dialog, t('Lägg till', 'Add')).click()
  await dialog.getByRole('alert').waitFor()
  assert.deepEqual(await findFaults(page), [])
  await dialog.getByLabel(t('Larma inte när', 'Do not fire when')).fill('User|endswith: backup\nHost: srv-backup01')
  await dialog.getByLabel(t('Dagar', 'Days')).fill('30')
  await button(dialog, t('Lägg till', 'Add')).click()
  await dialog.waitFor({ state: 'detached', timeout: 90_000 })
  await rowOf(panel, 'Säkerhetskopieringen gör så').getByText('anna').waitFor()
  await page.goto('/rules?view=exceptions')
  const row = rowOf(page, 'Säkerhetskopieringen gör så')
  await button(row, t('Ta bort …', 'Lift …')).focus()
  await page.keyboard.press('Enter')
  await tabTo(page, 'button', t('Ta bort', 'Lift'))
  await page.keyboard.press('Enter')
  await row.waitFor({ state: 'detached', timeout: 90_000 })
  await page.getByText(t('Inga undantag.', 'No exceptions.')).waitFor()
  await leave(seat)
}

export async function withRules({ flow }) {
  await flow('sv', 'a rule is kept from the editor, compared with what it was, brought back and taken away', isKept)
  await flow('en', 'the same by keyboard alone', isKeptByKeyboard)
  await flow('en', 'what is no rule cannot be kept, and who may only read is offered nothing else', isRefused)
  await flow('sv', 'tests in the text of a rule are run on it', itsTestsAreRun)
  await flow('sv', 'a set of rules is imported, put into force, switched, compared and ended', setIsUsed)
  await flow('en', 'a list of indicators is made of a file, changed and taken away', listIsMade)
  await flow('sv', 'rules stand in the order of their noise', noiseIsShown)
  await flow('sv', 'an exception has conditions, a reason and an end, and is lifted by keyboard', exceptionIsMade)
}
