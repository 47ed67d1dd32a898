// SPDX-License-Identifier: EUPL-1.2
// Searches that are saved, rows that come while a search goes on, and what attackers write in what is
// shown of rules, sources and health. upkeep.mjs runs it.
import { readFile } from 'node:fs/promises'
import { findFaults, press } from './browser.mjs'
import { settled } from './house.mjs'
import { assert } from './tap.mjs'

async function isSaved({ t, other, sit, leave }) {
  const seat = await sit({}, 'anna')
  const { page } = seat
  await page.goto(`/search?q=${encodeURIComponent('user.name: elin.nyman')}`)
  await settled(page)
  await page.getByRole('button', { name: t('Sparade …', 'Saved …') }).focus()
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog')
  await dialog.getByText(t('Inga sparade sökningar.', 'No saved searches.')).waitFor()
  await dialog.getByLabel(t('Spara den här sökningen som', 'Save this search as')).fill('elin')
  assert.deepEqual(await findFaults(page), [])
  await page.keyboard.press('Enter')
  await page.getByText(t('Sökningen är sparad som elin.', 'The search is saved as elin.')).waitFor()
  await leave(seat)
  // Who else may search has it, in the other language.
  const bo = await other.sit({}, 'bo')
  await bo.page.goto('/search')
  await settled(bo.page)
  await press(bo.page, other.t('Sparade …', 'Saved …'))
  await bo.page.getByRole('dialog').getByRole('link', { name: 'elin', exact: true }).click()
  await bo.page.waitForURL((at) => at.searchParams.get('q') === 'user.name: elin.nyman')
  await bo.page.locator('.events tbody tr').first().waitFor()
  await press(bo.page, other.t('Sparade …', 'Saved …'))
  await press(bo.page.getByRole('dialog'), other.t('Glöm elin', 'Forget elin'))
  await bo.page.getByRole('dialog').getByText(other.t('Inga sparade sökningar.', 'No saved searches.')).waitFor()
  await leave(bo)
}

// Rows stand there before the search has ended: its answer is held back behind the first one.
async function rowsCome({ t, sit, leave }) {
  const seat = await sit({}, 'anna')
  const { page } = seat
  await page.addInitScript(() => {
    const fetched = window.fetch
    window.held = []
    window.fetch = async (url, init) => {
      const answer = await fetched(url, init)
      if (!String(url).endsWith('/search') || !String(init?.body).includes('streaming')) return answer
      const [line] = (await answer.text()).split('\n').filter((text) => text.includes('"row"'))
      const pieces = [JSON.stringify({ columns: ['_time', '_event'] }), line]
      const body = new ReadableStream({
        start(to) {
          for (const piece of pieces) to.enqueue(new TextEncoder().encode(`${piece}\n`))
          window.held.push(() => {
            to.enqueue(new TextEncoder().encode('{"end":{"how":"whole","records":1,"matches":1}}\n'))
            to.close()
          })
        }
      })
      return new Response(body, { status: 200, headers: { 'Content-Type': 'application/x-ndjson' } })
    }
  })
  await page.goto(`/search?q=${encodeURIComponent('user.name: * or streaming')}`)
  await page.locator('.events tbody tr').first().waitFor()
  await page.getByText(t(/^Söker … /, /^Searching … /)).waitFor()
  assert.equal(await page.locator('.standing progress').count(), 1)
  await page.evaluate(() => {
    for (const go of window.held) go()
  })
  await page.locator('.standing progress').waitFor({ state: 'detached' })
  assert.ok((await page.locator('.events tbody tr').count()) >= 1)
  await leave(seat)
}

// What a spreadsheet would run is text in the file, in whatever column it stands.
async function filesRunNothing({ t, ask, sit, leave }) {
  await ask('formulas')
  const seat = await sit({}, 'anna')
  const { page } = seat
  const query = 'user.name: *FORMULA* | table user.name, process.command_line, file.path, url.original'
  await page.goto(`/search?q=${encodeURIComponent(query)}`)
  await page.getByText('FORMULA').first().waitFor()
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: t('Exportera', 'Export') }).click().then(() => page.getByText(t('CSV, för kalkylprogram', 'CSV, for spreadsheets')).click())
  ])
  const text = await readFile(await download.path(), 'utf8')
  const cells = text.split('\r\n').slice(1).join(',').split(',').filter(Boolean)
  assert.ok(cells.length >= 4, text)
  for (const cell of cells) assert.doesNotMatch(cell, /^"?[=+\-@\t]/)
  assert.match(text, /'=cmd/)
  await leave(seat)
}

async function nothingRuns({ t, ask, sit, leave }) {
  await ask('hostile')
  const seat = await sit({}, 'alla')
  const { page, wrong } = seat
  const rule = `title: ${JSON.stringify('<img src=x onerror=window.xss=1>')}`
  for (const path of [
    '/sources',
    '/sources?view=unread',
    '/sources?view=ledger',
    '/health',
    '/rules',
    '/rules/new?q=VAKAMARK',
    '/search?q=VAKAMARK | top 10 user.name',
    '/search?q=VAKAMARK | table user.name, process.command_line, file.path',
    '/search?q=<img src=x onerror=window.xss=1>',
    '/rules?q=<img src=x onerror=window.xss=1>&technique=<svg onload=window.xss=1>',
    '/admin?view=<img src=x onerror=window.xss=1>'
  ]) {
    await page.goto(encodeURI(path))
    await settled(page)
    for (const closed of await page.locator('details:not([open]) > summary:visible').all())
      await closed.click({ timeout: 2000 }).catch(() => {})
  }
  // What is wrong with the text of a rule is told with pieces of it.
  await page.goto('/rules/new')
  await page.getByText(t('Regeln kan användas.', 'The rule can be used.')).waitFor()
  await page.getByRole('textbox', { name: t('Regelns text', 'Text of the rule') }).click()
  await page.keyboard.press('Control+Home')
  await page.keyboard.insertText(`${rule}\n`)
  await page.getByText(t(/^\d+ fel$/, /^\d+ mistakes?$/)).waitFor()
  assert.equal(await page.evaluate(() => window.xss), undefined)
  assert.equal(await page.locator('img, svg [onload], [onclick], iframe').count(), 0)
  assert.deepEqual(wrong, [])
  await leave(seat)
}

// What changes something wants the mark that only this page has.
async function othersDoNothing({ sit, leave }) {
  const seat = await sit({}, 'alla')
  const { page } = seat
  const statuses = await page.evaluate(async () => {
    const asked = [
      ['PUT', '/searches/forged', { query: 'x' }],
      ['POST', '/holds', { range: '1-2', reason: 'x' }],
      ['POST', '/drills', { scenario: 'julnatt' }],
      ['POST', '/exceptions', { rule: 'x', when: ['a: b'], reason: 'x' }],
      ['POST', '/rules', { text: 'x' }],
      ['POST', '/store/verify', {}],
      ['DELETE', '/rules/7b2a6a4e-0d0f-4f6c-9d53-0d8f0c7e3c11', undefined]
    ]
    const found = []
    for (const [method, path, body] of asked) {
      const headers = { 'Content-Type': 'application/json' }
      const answer = await fetch(`/api/v1${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) })
      found.push(answer.status)
    }
    return found
  })
  assert.deepEqual([...new Set(statuses)], [403])
  await leave(seat)
}

export async function withSearches({ flow }) {
  await flow('en', 'a search is saved, is there for others, and is forgotten', isSaved)
  await flow('sv', 'rows stand there before the search has ended', rowsCome)
  await flow('sv', 'what a spreadsheet would run is text in the file', filesRunNothing)
  await flow('sv', 'what a log says is text on the pages of rules, sources and health', nothingRuns)
  await flow('sv', 'nothing is changed without the mark of the page', othersDoNothing)
}
