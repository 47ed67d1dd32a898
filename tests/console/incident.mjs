// SPDX-License-Identifier: EUPL-1.2
// What is done to one incident, beyond the way from new to closed. work.mjs runs it in its own house.
import { field, findFaults, press } from './browser.mjs'
import { settled } from './house.mjs'
import { assert } from './tap.mjs'

// An incident of its own about that user; its number.
async function incidentOf({ ask }, page, user) {
  await ask(`alarm/${user}`)
  for (;;) {
    const answer = await page.request.get(`/api/v1/incidents?entity=${user}`)
    const found = answer.ok() ? (await answer.json()).incidents : []
    if (found.length > 0) return found[0].id
    await page.waitForTimeout(200)
  }
}

const more = async (page, button, entry) => {
  await press(page, button)
  await page.locator(':popover-open').getByText(entry, { exact: true }).click()
}

// Dialogs that take words ask about säkerhetsskydd first, until it is answered.
async function answers(dialog, label) {
  await dialog.waitFor()
  const no = dialog.getByLabel(label, { exact: true })
  if (await no.isVisible()) await no.check()
}

async function tasksAndHandover(house) {
  const { t } = house
  const seat = await house.sit({}, 'anna')
  const { page } = seat
  const id = await incidentOf(house, page, 'uppgift.ulf')
  await page.goto(`/incidents/${id}`)
  await press(page, t('Ny uppgift …', 'New task …'))
  const dialog = page.getByRole('dialog')
  await answers(dialog, t('Nej', 'No'))
  await field(page, t('Vad ska göras, och av vem', 'What is to be done, and by whom')).fill('Ring Ulf')
  assert.deepEqual(await findFaults(page), [])
  await press(page, t('Lägg till', 'Add'))
  await page.locator('.task', { hasText: 'Ring Ulf' }).waitFor()
  await more(page, t('Mer', 'More'), t('Lämna över …', 'Hand over …'))
  await answers(dialog, t('Nej', 'No'))
  await field(page, t('Till vem', 'To whom')).fill('bo')
  assert.match(await field(page, t('Överlämning', 'Handover')).inputValue(), t(/Återstår: Ring Ulf/, /Remaining: Ring Ulf/))
  assert.deepEqual(await findFaults(page), [])
  await dialog.getByRole('button', { name: t('Lämna över', 'Hand over') }).click()
  await page.getByText(t('Överlämnad till bo', 'Handed over to bo')).waitFor()
  await page.locator('.words', { hasText: t('Återstår: Ring Ulf', 'Remaining: Ring Ulf') }).waitFor()
  await page.getByRole('button', { name: t('Klar: Ring Ulf', 'Done: Ring Ulf') }).click()
  await page.getByText(t('klar, anna', 'done, anna')).waitFor()
  await more(page, t('Mer', 'More'), t('Kopiera länk', 'Copy link'))
  await page.getByText(t('Länken är kopierad', 'The link was copied')).waitFor()
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), page.url())
  await house.leave(seat)
}

async function mergesAndUndoes(house) {
  const { t } = house
  const seat = await house.sit({}, 'anna')
  const { page } = seat
  const one = await incidentOf(house, page, 'merge.one')
  const two = await incidentOf(house, page, 'merge.two')
  await page.goto(`/incidents/${one}`)
  await more(page, t('Mer', 'More'), t('Slå ihop …', 'Merge …'))
  const dialog = page.getByRole('dialog')
  await answers(dialog, t('Nej', 'No'))
  await field(page, t('Incident som blir en del av den här', 'Incident that becomes part of this one')).fill(`#${two}`)
  await field(page, t('Skäl', 'Reason')).fill('The same person')
  assert.deepEqual(await findFaults(page), [])
  await dialog.getByRole('button', { name: t('Slå ihop', 'Merge') }).click()
  await page.getByText(t(`slog ihop med ${two}`, `merged with ${two}`)).waitFor()
  await page.goto(`/incidents/${two}`)
  await page.getByText(t(`Den här är en del av incident ${one}.`, `This one is part of incident ${one}.`)).waitFor()
  await page.goto(`/incidents/${one}`)
  await page.getByRole('button', { name: t(`Ångra: slog ihop med ${two}`, `Undo: merged with ${two}`) }).click()
  await answers(dialog, t('Nej', 'No'))
  await dialog.getByLabel(t('Skäl', 'Reason')).fill('They were two')
  await dialog.getByRole('button', { name: t('Ångra', 'Undo') }).click()
  await page.getByText(t('ångrade', 'undid')).waitFor()
  await page.goto(`/incidents/${two}`)
  await page.getByRole('button', { name: t('Kvittera', 'Acknowledge'), exact: true }).waitFor()
  assert.equal(await page.getByText(t(`Den här är en del av incident ${one}.`, `This one is part of incident ${one}.`)).count(), 0)
  await house.leave(seat)
}

async function splitsAndUndoes(house) {
  const { t } = house
  const seat = await house.sit({}, 'bo')
  const { page } = seat
  await page.goto(`/incidents/${house.more}?view=alerts`)
  await page.getByRole('checkbox').first().waitFor()
  await page.getByRole('checkbox').first().check()
  await press(page, t('Gör 1 larm till en egen incident …', 'Make 1 alert an incident …'))
  const dialog = page.getByRole('dialog')
  await answers(dialog, t('Nej', 'No'))
  await dialog.getByLabel(t('Skäl', 'Reason')).fill('Hör inte hit')
  assert.deepEqual(await findFaults(page), [])
  await dialog.getByRole('button', { name: t('Dela', 'Split') }).click()
  await page.getByText(t('Delad. Kan ångras i tidslinjen.', 'Split. Can be undone in the timeline.')).waitFor()
  await page.goto(`/incidents/${house.more}`)
  await settled(page)
  for (;;) {
    const undo = page.getByRole('button', { name: t('Ångra: delade', 'Undo: split') })
    if ((await undo.count()) > 0) break
    await page.getByRole('button', { name: t('Nästa', 'Next') }).click()
    await settled(page)
  }
  await page.getByRole('button', { name: t('Ångra: delade', 'Undo: split') }).click()
  await answers(dialog, t('Nej', 'No'))
  await dialog.getByLabel(t('Skäl', 'Reason')).fill('Hörde hit')
  await dialog.getByRole('button', { name: t('Ångra', 'Undo') }).click()
  await page.getByText(t('Ångrat', 'Undone'), { exact: true }).waitFor()
  await house.leave(seat)
}

async function readsTheRecord(house) {
  const { t } = house
  const seat = await house.sit({ theme: 'light' }, 'anna')
  const { page } = seat
  const id = await incidentOf(house, page, 'rad.rut')
  await page.goto(`/incidents/${id}?view=alerts`)
  await page.getByRole('button', { name: t(/^Visa larm/, /^Show alert/) }).first().click()
  await page.getByRole('heading', { name: t('Loggposten', 'The record') }).waitFor()
  await page.locator('.raw', { hasText: 'VAKAMARK user=rad.rut' }).first().waitFor()
  await page.locator('summary', { hasText: t('Så förstods den', 'How it was understood') }).click()
  await page.locator('.found .fields', { hasText: 'rad.rut' }).waitFor()
  await page.locator('summary', { hasText: t('Som den är lagrad', 'As it is stored') }).click()
  await page.locator('.raw.stored', { hasText: '"name": "rad.rut"' }).waitFor()
  assert.deepEqual(await findFaults(page), [])
  await house.leave(seat)
}

async function seesWhoWasPaged(house) {
  const { t } = house
  const seat = await house.sit({}, 'anna')
  const { page } = seat
  const notified = async () => {
    const answer = await page.request.get('/api/v1/pages?state=any&limit=200')
    return (await answer.json()).pages.find((p) => p.notified)
  }
  let told
  while (!(told = await notified())) await page.waitForTimeout(200)
  await page.goto(`/incidents/${told.incidents[0]}`)
  await settled(page)
  const line = page.locator('.did', { hasText: t(/vaka larmade \S/, /vaka paged \S/) })
  while ((await line.count()) === 0) {
    await page.getByRole('button', { name: t('Nästa', 'Next') }).click()
    await settled(page)
  }
  await page.getByRole('heading', { name: t('Larmade', 'Paged') }).waitFor()
  await house.leave(seat)
}

export async function withOneIncident({ flow }) {
  await flow('sv', 'tasks are added and done, and an incident is handed over with a note', tasksAndHandover)
  await flow('en', 'two incidents become one and two again', mergesAndUndoes)
  await flow('sv', 'alerts are split off and come back', splitsAndUndoes)
  await flow('sv', 'a record is read as it came and as it was understood', readsTheRecord)
  await flow('sv', 'who was paged stands in the timeline', seesWhoWasPaged)
}
