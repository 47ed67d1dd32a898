// SPDX-License-Identifier: EUPL-1.2
// Who is on call, and what wakes them: pages, shifts, the plan, and a phone at night. work.mjs runs it in
// its own house.
import { field, findFaults, press, rowOf, tabTo } from './browser.mjs'
import { settled } from './house.mjs'
import { assert } from './tap.mjs'

// What waits already is taken, for it would be told together with what comes.
async function takeAll({ t }, page) {
  await page.goto('/oncall?view=pages')
  await settled(page)
  for (;;) {
    const rows = await page.getByRole('button', { name: t(/^Kvittera larmning/, /^Acknowledge page/) }).all()
    if (rows.length === 0) return
    const name = await rows[0].getAttribute('aria-label')
    await rows[0].click()
    await page.getByRole('button', { name, exact: true }).waitFor({ state: 'detached' })
  }
}

// The first message about a record of that user, to whom the plan has this week: a push.
async function pageOf(house, page, user) {
  const { ask } = house
  await takeAll(house, page)
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
  const { t } = house
  const seat = await house.sit({}, 'anna')
  const { page } = seat
  await pageOf(house, page, 'larm.ett')
  const row = page.locator('tbody tr').first()
  await row.getByRole('button', { name: t(/^Visa larmning/, /^Show page/) }).click()
  await page.getByRole('heading', { name: t(/^Vem larmning \d+ gick till/, /^Whom page \d+ told/) }).waitFor()
  await page.locator('.tries li').first().waitFor()
  assert.deepEqual(await findFaults(page), [])
  const n = (await row.getByRole('button', { name: t(/^Visa larmning/, /^Show page/) }).textContent()).trim()
  await page.getByRole('button', { name: t(`Eskalera larmning ${n}`, `Escalate page ${n}`) }).click()
  await field(page, t('Skäl', 'Reason')).fill('Ingen svarar')
  await press(page, t('Eskalera', 'Escalate'))
  await page.getByText(t('Nästa steg larmas nu', 'The next step is told now')).waitFor()
  await page.getByRole('button', { name: t(`Kvittera larmning ${n}`, `Acknowledge page ${n}`) }).click()
  await page.getByText(t('Kvitterad: ingen annan larmas', 'Acknowledged: nobody else is told')).waitFor()
  await page.getByRole('button', { name: t(`Kvittera larmning ${n}`, `Acknowledge page ${n}`) }).waitFor({ state: 'detached' })
  await field(page, t('Vilka', 'Which')).selectOption({ label: t('alla', 'all') })
  await rowOf(page, 'anna').first().waitFor()
  await house.leave(seat)
}

async function answersOnAPhone(house) {
  const { t } = house
  const seat = await house.sit({ size: 'phone', theme: 'dark' }, 'bo')
  const { page } = seat
  const message = await pageOf(house, page, 'natt.nora')
  const [link] = /https:\/\/localhost:\d+\/ack\/[0-9A-Z]{8}/.exec(message)
  await page.context().clearCookies()
  await page.goto(link)
  const button = page.getByRole('button', { name: t('Jag tar det', 'I have it') })
  await button.waitFor()
  const box = await button.boundingBox()
  assert.ok(box.height >= 44 && box.width >= 200 && box.y + box.height < 844, JSON.stringify(box))
  assert.deepEqual(await findFaults(page), [])
  await button.click()
  await page.getByText(t('Larmet är ditt.', 'The page is yours.')).waitFor()
  assert.deepEqual(await findFaults(page), [])
  await house.leave(seat)
}

async function triesHisContacts({ t, sit, leave }) {
  const seat = await sit({ theme: 'light' }, 'anna')
  const { page } = seat
  await page.goto('/oncall?view=mine')
  await page.getByRole('heading', { name: t('Prova', 'Try it') }).waitFor()
  await press(page, t('Skicka ett provlarm', 'Send a test page'))
  await page.getByText(t(/^Provlarm \d+/, /^Test page \d+/)).waitFor()
  await page.locator('.tries li').first().waitFor()
  assert.deepEqual(await findFaults(page), [])
  await page.goto('/oncall?view=pages')
  const row = rowOf(page, t('prov', 'test')).first()
  await row.getByRole('button', { name: t(/^Kvittera larmning/, /^Acknowledge page/) }).click()
  await page.getByText(t('Kvitterad: ingen annan larmas', 'Acknowledged: nobody else is told')).waitFor()
  await leave(seat)
}

async function swapsAndSeesTheCalendar({ t, keyboard, sit, leave }) {
  const seat = await sit({}, 'anna')
  const { page } = seat
  await page.goto('/oncall')
  await settled(page)
  const menu = page.getByRole('button', { name: t(/^Ändra passet/, /^Change the shift/) }).nth(1)
  await menu.click()
  await page.locator(':popover-open').getByText(t('Byt mot ett annat pass …', 'Swap for another shift …')).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel(t('Mot passet', 'For the shift')).waitFor()
  assert.deepEqual(await findFaults(page), [])
  await dialog.getByLabel(t('Skäl', 'Reason')).fill('Bröllop')
  await dialog.getByRole('button', { name: t('Spara', 'Save') }).click()
  // Where it would break the rest of somebody it asks first.
  const saved = page.getByText(t('Sparat. De det gäller får veta.', 'Saved. Those it is about are told.'))
  const breach = page.getByText(t('Inget är sparat än.', 'Nothing is saved yet.'))
  await saved.or(breach).first().waitFor()
  if (await breach.isVisible()) {
    await dialog.getByLabel(t('Spara ändå', 'Save it anyway')).check()
    await dialog.getByRole('button', { name: t('Spara', 'Save') }).click()
    await saved.waitFor()
  }
  await page.getByText(t('ändrat', 'changed')).first().waitFor()
  // By pointer, from the lane itself; who has none has its table.
  if (!keyboard) {
    await page.locator('.lane.final button.shift').nth(1).click()
    await page.getByRole('dialog', { name: t(/^Tillfälligt byte/, /^Override/) }).waitFor()
    await page.keyboard.press('Escape')
  }
  await press(page, t('Kalender', 'Calendar'))
  await page.locator('.calendar td').first().waitFor()
  assert.equal(new URL(page.url()).searchParams.get('as'), 'calendar')
  assert.deepEqual(await findFaults(page), [])
  await page.goto('/oncall?view=changes')
  while ((await page.getByRole('button', { name: t(/^Ta tillbaka ändring/, /^Take change/) }).count()) > 0) {
    await page.getByRole('button', { name: t(/^Ta tillbaka ändring/, /^Take change/) }).first().click()
    await page.getByRole('dialog').getByRole('button', { name: t('Ta tillbaka', 'Take back') }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await settled(page)
  }
  await leave(seat)
}

async function replacesTheRotation({ t, sit, leave }) {
  const seat = await sit({}, 'anna')
  const { page } = seat
  await page.goto('/oncall')
  await settled(page)
  await page.getByRole('button', { name: t('Tillfälligt schema …', 'Temporary schedule …') }).focus()
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('group', { name: t('Pass 2', 'Shift 2') }).waitFor()
  await tabTo(page, t(/^button Ett pass till/, /^button One more shift/))
  await page.keyboard.press('Enter')
  await dialog.getByRole('group', { name: t('Pass 3', 'Shift 3') }).waitFor()
  assert.deepEqual(await findFaults(page), [])
  await dialog.getByRole('button', { name: t('Ta bort pass 3', 'Remove shift 3') }).click()
  await dialog.getByLabel(t('Skäl', 'Reason')).fill('Summer')
  await dialog.getByRole('button', { name: t('Spara', 'Save') }).click()
  const saved = page.getByText(t('Sparat. De det gäller får veta.', 'Saved. Those it is about are told.'))
  const breach = page.getByText(t('Inget är sparat än.', 'Nothing is saved yet.'))
  await saved.or(breach).first().waitFor()
  if (await breach.isVisible()) {
    await dialog.getByLabel(t('Spara ändå', 'Save it anyway')).check()
    await dialog.getByRole('button', { name: t('Spara', 'Save') }).click()
    await saved.waitFor()
  }
  await page.goto('/oncall?view=changes')
  await rowOf(page, t('tillfälligt schema', 'temporary schedule')).first().waitFor()
  await leave(seat)
}

async function writesThePlan({ t, sit, leave }) {
  const seat = await sit({}, 'alla')
  const { page } = seat
  await page.goto('/oncall?view=plan')
  await press(page, t('Ändra planen', 'Change the plan'))
  const text = field(page, t('Planen (YAML)', 'The plan (YAML)'))
  const before = await text.inputValue()
  await text.fill(before.replace('name: Säkerhet', 'nam: Säkerhet'))
  await press(page, t('Spara planen …', 'Save the plan …'))
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: t('Spara', 'Save') }).click()
  await dialog.locator('.note.bad').waitFor()
  assert.match(await dialog.locator('.note.bad').textContent(), /\d+/)
  assert.deepEqual(await findFaults(page), [])
  await page.keyboard.press('Escape')
  // Without the local agreement a week of beredskap has no weekly rest.
  await text.fill(before.replace('weekly_standby: true', 'weekly_standby: false').replace('name: Säkerhet', 'name: Säkerhet och drift'))
  await press(page, t('Spara planen …', 'Save the plan …'))
  await dialog.getByRole('button', { name: t('Spara', 'Save') }).click()
  await dialog.locator('.breaches li').first().waitFor()
  assert.deepEqual(await findFaults(page), [])
  await page.keyboard.press('Escape')
  await text.fill(before.replace('name: Säkerhet', 'name: Säkerhet och drift'))
  await press(page, t('Spara planen …', 'Save the plan …'))
  await dialog.getByLabel(t('Skäl', 'Reason')).fill('Nytt namn')
  await dialog.getByRole('button', { name: t('Spara', 'Save') }).click()
  await page.getByText(t('Sparat. De det gäller får veta.', 'Saved. Those it is about are told.')).waitFor()
  await page.locator('.on-call-now', { hasText: 'Säkerhet och drift' }).waitFor()
  await page.goto('/oncall?view=plan')
  await page.getByText('name: Säkerhet och drift').waitFor()
  await leave(seat)
}

export async function withTheOnCall({ flow }) {
  await flow('sv', 'a page is escalated and taken from the list', takesAPage)
  await flow('sv', 'a page is taken on a phone at night, by its link alone', answersOnAPhone)
  await flow('en', 'one tries how one is paged oneself', triesHisContacts)
  await flow('sv', 'shifts are swapped, the calendar shows who has which day', swapsAndSeesTheCalendar)
  await flow('en', 'a temporary schedule is made by keyboard', replacesTheRotation)
  await flow('sv', 'another plan is saved, and what it breaks is shown first', writesThePlan)
}
