// SPDX-License-Identifier: EUPL-1.2
// Who is on call, and what wakes them: pages, shifts, the plan, and a phone at night. work.mjs runs it in
// its own house.
import { field, findFaults, press, rowOf, tabTo } from './browser.mjs'
import { settled } from './house.mjs'
import { assert, check } from './tap.mjs'

// What waits already is taken, for it would be told together with what comes.
async function takeAll(page) {
  await page.goto('/oncall?view=pages')
  await settled(page)
  for (;;) {
    const rows = await page.getByRole('button', { name: /^Kvittera larmning/ }).all()
    if (rows.length === 0) return
    const name = await rows[0].getAttribute('aria-label')
    await rows[0].click()
    await page.getByRole('button', { name, exact: true }).waitFor({ state: 'detached' })
  }
}

// The first message about a record of that user, to whom the plan has this week: a push.
async function pageOf({ ask }, page, user) {
  await takeAll(page)
  const before = await ask('push')
  await ask(`alarm/${user}`)
  for (let tries = 0; tries < 300; tries++) {
    const message = await ask('push')
    if (message !== before) return message
    await page.waitForTimeout(200)
  }
  throw new Error(`nobody was told about ${user}`)
}

async function takesAPage(house) {
  const seat = await house.sit({}, 'anna')
  const { page } = seat
  await pageOf(house, page, 'larm.ett')
  const row = page.locator('tbody tr').first()
  await row.getByRole('button', { name: /^Visa larmning/ }).click()
  await page.getByRole('heading', { name: /^Vem larmning \d+ gick till/ }).waitFor()
  await page.locator('.tries li').first().waitFor()
  assert.deepEqual(await findFaults(page), [])
  const n = (await row.getByRole('button', { name: /^Visa larmning/ }).textContent()).trim()
  await page.getByRole('button', { name: `Eskalera larmning ${n}` }).click()
  await field(page, 'Skäl').fill('Ingen svarar')
  await press(page, 'Eskalera')
  await page.getByText('Nästa steg larmas nu').waitFor()
  await page.getByRole('button', { name: `Kvittera larmning ${n}` }).click()
  await page.getByText('Kvitterad: ingen annan larmas').first().waitFor()
  await page.getByRole('button', { name: `Kvittera larmning ${n}` }).waitFor({ state: 'detached' })
  await field(page, 'Vilka').selectOption({ label: 'alla' })
  await rowOf(page, 'anna').first().waitFor()
  await house.leave(seat)
}

async function answersOnAPhone(house) {
  const seat = await house.sit({ size: 'phone', theme: 'dark' }, 'bo')
  const { page } = seat
  const message = await pageOf(house, page, 'natt.nora')
  const [link] = /https:\/\/localhost:\d+\/ack\/[0-9A-Z]{8}/.exec(message)
  await page.context().clearCookies()
  await page.goto(link)
  const button = page.getByRole('button', { name: 'Jag tar det' })
  await button.waitFor()
  const box = await button.boundingBox()
  assert.ok(box.height >= 44 && box.width >= 200 && box.y + box.height < 844, JSON.stringify(box))
  assert.deepEqual(await findFaults(page), [])
  await button.click()
  await page.getByText('Larmet är ditt.').waitFor()
  assert.deepEqual(await findFaults(page), [])
  await house.leave(seat)
}

async function triesHisContacts({ sit, leave }) {
  const seat = await sit({ language: 'en', theme: 'light' }, 'anna')
  const { page } = seat
  await page.goto('/oncall?view=mine')
  await page.getByRole('heading', { name: 'Try it' }).waitFor()
  await press(page, 'Send a test page')
  await page.getByText(/^Test page \d+/).waitFor()
  await page.locator('.tries li').first().waitFor()
  assert.deepEqual(await findFaults(page), [])
  await page.goto('/oncall?view=pages')
  const row = rowOf(page, 'test').first()
  await row.getByRole('button', { name: /^Acknowledge page/ }).click()
  await page.getByText('Acknowledged: nobody else is told').waitFor()
  await leave(seat)
}

async function swapsAndSeesTheCalendar({ sit, leave }) {
  const seat = await sit({}, 'anna')
  const { page } = seat
  await page.goto('/oncall')
  await settled(page)
  const menu = page.getByRole('button', { name: /^Ändra passet/ }).nth(1)
  await menu.click()
  await page.locator(':popover-open').getByText('Byt mot ett annat pass …').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Mot passet').waitFor()
  assert.deepEqual(await findFaults(page), [])
  await dialog.getByLabel('Skäl').fill('Bröllop')
  await dialog.getByRole('button', { name: 'Spara' }).click()
  // Where it would break the rest of somebody it asks first.
  const saved = page.getByText('Sparat. De det gäller får veta.')
  const breach = page.getByText('Inget är sparat än.')
  await saved.or(breach).first().waitFor()
  if (await breach.isVisible()) {
    await dialog.getByLabel('Spara ändå').check()
    await dialog.getByRole('button', { name: 'Spara' }).click()
    await saved.waitFor()
  }
  await page.getByText('ändrat').first().waitFor()
  // By pointer, from the lane itself.
  await page.locator('.lane.final button.shift').nth(1).click()
  await page.getByRole('dialog', { name: /^Tillfälligt byte/ }).waitFor()
  await page.keyboard.press('Escape')
  await press(page, 'Kalender')
  await page.locator('.calendar td').first().waitFor()
  assert.equal(new URL(page.url()).searchParams.get('as'), 'calendar')
  assert.deepEqual(await findFaults(page), [])
  await page.goto('/oncall?view=changes')
  while ((await page.getByRole('button', { name: /^Ta tillbaka ändring/ }).count()) > 0) {
    await page.getByRole('button', { name: /^Ta tillbaka ändring/ }).first().click()
    await page.getByRole('dialog').getByRole('button', { name: 'Ta tillbaka' }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await settled(page)
  }
  await leave(seat)
}

async function replacesTheRotation({ sit, leave }) {
  const seat = await sit({ language: 'en' }, 'anna')
  const { page } = seat
  await page.goto('/oncall')
  await settled(page)
  await page.getByRole('button', { name: 'Temporary schedule …' }).focus()
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('group', { name: 'Shift 2' }).waitFor()
  await tabTo(page, /^button One more shift/)
  await page.keyboard.press('Enter')
  await dialog.getByRole('group', { name: 'Shift 3' }).waitFor()
  assert.deepEqual(await findFaults(page), [])
  await dialog.getByRole('button', { name: 'Remove shift 3' }).click()
  await dialog.getByLabel('Reason').fill('Summer')
  await dialog.getByRole('button', { name: 'Save' }).click()
  const saved = page.getByText('Saved. Those it is about are told.')
  const breach = page.getByText('Nothing is saved yet.')
  await saved.or(breach).first().waitFor()
  if (await breach.isVisible()) {
    await dialog.getByLabel('Save it anyway').check()
    await dialog.getByRole('button', { name: 'Save' }).click()
    await saved.waitFor()
  }
  await page.goto('/oncall?view=changes')
  await rowOf(page, 'temporary schedule').first().waitFor()
  await leave(seat)
}

async function writesThePlan({ sit, leave }) {
  const seat = await sit({}, 'alla')
  const { page } = seat
  await page.goto('/oncall?view=plan')
  await press(page, 'Ändra planen')
  const text = field(page, 'Planen (YAML)')
  const before = await text.inputValue()
  await text.fill(before.replace('name: Säkerhet', 'nam: Säkerhet'))
  await press(page, 'Spara planen …')
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Spara' }).click()
  await dialog.locator('.note.bad').waitFor()
  assert.match(await dialog.locator('.note.bad').textContent(), /\d+/)
  assert.deepEqual(await findFaults(page), [])
  await page.keyboard.press('Escape')
  // Without the local agreement a week of beredskap has no weekly rest.
  await text.fill(before.replace('weekly_standby: true', 'weekly_standby: false').replace('name: Säkerhet', 'name: Säkerhet och drift'))
  await press(page, 'Spara planen …')
  await dialog.getByRole('button', { name: 'Spara' }).click()
  await dialog.locator('.breaches li').first().waitFor()
  assert.deepEqual(await findFaults(page), [])
  await page.keyboard.press('Escape')
  await text.fill(before.replace('name: Säkerhet', 'name: Säkerhet och drift'))
  await press(page, 'Spara planen …')
  await dialog.getByLabel('Skäl').fill('Nytt namn')
  await dialog.getByRole('button', { name: 'Spara' }).click()
  await page.getByText('Sparat. De det gäller får veta.').waitFor()
  await page.locator('.on-call-now', { hasText: 'Säkerhet och drift' }).waitFor()
  await page.goto('/oncall?view=plan')
  await page.getByText('name: Säkerhet och drift').waitFor()
  await leave(seat)
}

export async function withTheOnCall(house) {
  await check('a page is escalated and taken from the list', () => takesAPage(house))
  await check('a page is taken on a phone at night, by its link alone', () => answersOnAPhone(house))
  await check('one tries how one is paged oneself, in English', () => triesHisContacts(house))
  await check('shifts are swapped, the calendar shows who has which day', () => swapsAndSeesTheCalendar(house))
  await check('a temporary schedule is made by keyboard, in English', () => replacesTheRotation(house))
  await check('another plan is saved, and what it breaks is shown first', () => writesThePlan(house))
}
