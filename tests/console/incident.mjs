// SPDX-License-Identifier: EUPL-1.2
// What is done to one incident, beyond the way from new to closed. work.mjs runs it in its own house.
import { field, findFaults, press } from './browser.mjs'
import { settled } from './house.mjs'
import { assert, check } from './tap.mjs'

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
  const seat = await house.sit({}, 'anna')
  const { page } = seat
  const id = await incidentOf(house, page, 'uppgift.ulf')
  await page.goto(`/incidents/${id}`)
  await press(page, 'Ny uppgift …')
  const dialog = page.getByRole('dialog')
  await answers(dialog, 'Nej')
  await field(page, 'Vad ska göras, och av vem').fill('Ring Ulf')
  assert.deepEqual(await findFaults(page), [])
  await press(page, 'Lägg till')
  await page.locator('.task', { hasText: 'Ring Ulf' }).waitFor()
  await more(page, 'Mer', 'Lämna över …')
  await answers(dialog, 'Nej')
  await field(page, 'Till vem').fill('bo')
  assert.match(await field(page, 'Överlämning').inputValue(), /Återstår: Ring Ulf/)
  assert.deepEqual(await findFaults(page), [])
  await dialog.getByRole('button', { name: 'Lämna över' }).click()
  await page.getByText('Överlämnad till bo').waitFor()
  await page.locator('.words', { hasText: 'Återstår: Ring Ulf' }).waitFor()
  await page.getByRole('button', { name: 'Klar: Ring Ulf' }).click()
  await page.getByText(/klar, anna/).waitFor()
  await more(page, 'Mer', 'Kopiera länk')
  await page.getByText('Länken är kopierad').waitFor()
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), page.url())
  await house.leave(seat)
}

async function mergesAndUndoes(house) {
  const seat = await house.sit({ language: 'en' }, 'anna')
  const { page } = seat
  const one = await incidentOf(house, page, 'merge.one')
  const two = await incidentOf(house, page, 'merge.two')
  await page.goto(`/incidents/${one}`)
  await more(page, 'More', 'Merge …')
  const dialog = page.getByRole('dialog')
  await answers(dialog, 'No')
  await field(page, 'Incident that becomes part of this one').fill(`#${two}`)
  await field(page, 'Reason').fill('The same person')
  assert.deepEqual(await findFaults(page), [])
  await dialog.getByRole('button', { name: 'Merge' }).click()
  await page.getByText(`merged with ${two}`).waitFor()
  await page.goto(`/incidents/${two}`)
  await page.getByText(`This one is part of incident ${one}.`).waitFor()
  await page.goto(`/incidents/${one}`)
  await page.getByRole('button', { name: `Undo: merged with ${two}` }).click()
  await answers(dialog, 'No')
  await dialog.getByLabel('Reason').fill('They were two')
  await dialog.getByRole('button', { name: 'Undo' }).click()
  await page.getByText('undid').waitFor()
  await page.goto(`/incidents/${two}`)
  await page.getByRole('button', { name: 'Acknowledge', exact: true }).waitFor()
  assert.equal(await page.getByText(`This one is part of incident ${one}.`).count(), 0)
  await house.leave(seat)
}

async function splitsAndUndoes(house) {
  const seat = await house.sit({}, 'bo')
  const { page } = seat
  await page.goto(`/incidents/${house.more}?view=alerts`)
  await page.getByRole('checkbox').first().waitFor()
  await page.getByRole('checkbox').first().check()
  await press(page, 'Gör 1 larm till en egen incident …')
  const dialog = page.getByRole('dialog')
  await answers(dialog, 'Nej')
  await dialog.getByLabel('Skäl').fill('Hör inte hit')
  assert.deepEqual(await findFaults(page), [])
  await dialog.getByRole('button', { name: 'Dela' }).click()
  await page.getByText('Delad. Kan ångras i tidslinjen.').waitFor()
  await page.goto(`/incidents/${house.more}`)
  await settled(page)
  for (;;) {
    const undo = page.getByRole('button', { name: 'Ångra: delade' })
    if ((await undo.count()) > 0) break
    await page.getByRole('button', { name: 'Nästa' }).click()
    await settled(page)
  }
  await page.getByRole('button', { name: 'Ångra: delade' }).click()
  await answers(dialog, 'Nej')
  await dialog.getByLabel('Skäl').fill('Hörde hit')
  await dialog.getByRole('button', { name: 'Ångra' }).click()
  await page.getByText('Ångrat', { exact: true }).waitFor()
  await house.leave(seat)
}

async function readsTheRecord(house) {
  const seat = await house.sit({ theme: 'light' }, 'anna')
  const { page } = seat
  const id = await incidentOf(house, page, 'rad.rut')
  await page.goto(`/incidents/${id}?view=alerts`)
  await page.getByRole('button', { name: /^Visa larm/ }).first().click()
  await page.getByRole('heading', { name: 'Loggposten' }).waitFor()
  await page.locator('.raw', { hasText: 'VAKAMARK user=rad.rut' }).first().waitFor()
  await page.locator('summary', { hasText: 'Så förstods den' }).click()
  await page.locator('.found .fields', { hasText: 'rad.rut' }).waitFor()
  await page.locator('summary', { hasText: 'Som den är lagrad' }).click()
  await page.locator('.raw.stored', { hasText: '"name": "rad.rut"' }).waitFor()
  assert.deepEqual(await findFaults(page), [])
  await house.leave(seat)
}

async function seesWhoWasPaged(house) {
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
  const line = page.locator('.did', { hasText: /vaka larmade \S/ })
  while ((await line.count()) === 0) {
    await page.getByRole('button', { name: 'Nästa' }).click()
    await settled(page)
  }
  await page.getByRole('heading', { name: 'Larmade' }).waitFor()
  await house.leave(seat)
}

export async function withOneIncident(house) {
  await check('tasks are added and done, and an incident is handed over with a note', () => tasksAndHandover(house))
  await check('two incidents become one and two again, in English', () => mergesAndUndoes(house))
  await check('alerts are split off and come back', () => splitsAndUndoes(house))
  await check('a record is read as it came and as it was understood', () => readsTheRecord(house))
  await check('who was paged stands in the timeline', () => seesWhoWasPaged(house))
}
