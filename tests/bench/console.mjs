// SPDX-License-Identifier: EUPL-1.2
// How fast the console is in Debian's Chromium: node console.mjs WISHES (see console.py). Prints a row of
// JSON for each figure; milliseconds, measured in the page.
import { logIn, SIZES, startBrowser } from '../console/browser.mjs'

const { url, name, password, big, rounds } = JSON.parse(process.argv[2])
const browser = await startBrowser()
const emit = (lane, row) => console.log(JSON.stringify({ lane, ...row }))
const quantile = (values, part) => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))]
const spread = (values) => ({
  n: values.length,
  p50_ms: Math.round(quantile(values, 0.5)),
  most_ms: Math.round(Math.max(...values))
})

// In the page: when what was waited for had been painted, and what held the main thread up meanwhile.
const WATCH = () => {
  // What a page is opened for is there.
  window.isUseful = () => !!document.querySelector('main h1') && !document.querySelector('.loading')
  window.tasks = []
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) window.tasks.push(duration)
  }).observe({ type: 'longtask', buffered: true })
  window.painted = (isThere) =>
    new Promise((done, never) => {
      const told = () => requestAnimationFrame(() => setTimeout(() => done(performance.now()), 0))
      if (isThere()) return told()
      setTimeout(() => never(new Error(`not painted in a minute: ${isThere}`)), 60_000)
      const seen = new MutationObserver(() => {
        if (!isThere()) return
        seen.disconnect()
        told()
      })
      seen.observe(document, { childList: true, subtree: true, characterData: true })
    })
}

// As people have it, with nothing of tests in the page but what measures.
async function sit(storageState) {
  const context = await browser.newContext({
    baseURL: url,
    viewport: SIZES.desktop,
    ignoreHTTPSErrors: true,
    locale: 'sv-SE',
    timezoneId: 'Europe/Stockholm',
    ...(storageState && { storageState })
  })
  context.setDefaultTimeout(60_000)
  await context.addInitScript(WATCH)
  return { context, page: await context.newPage() }
}

const first = await sit()
await first.page.goto('/')
await logIn(first.page, name, password)
const state = await first.context.storageState()
await first.context.close()

// ---- cold: nothing is cached, but somebody is logged in ----

async function cold(path) {
  const [useful, paint, bytes] = [[], [], []]
  for (let n = 0; n < rounds; n++) {
    const { context, page } = await sit(state)
    await context.addInitScript(() => {
      addEventListener('DOMContentLoaded', () => {
        window.useful = window.painted(window.isUseful)
      })
    })
    await page.goto(path)
    useful.push(await page.evaluate(() => window.useful))
    paint.push(await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0))
    bytes.push(
      await page.evaluate(() =>
        performance
          .getEntriesByType('resource')
          .filter((r) => r.name.endsWith('.js'))
          .reduce((sum, r) => sum + r.encodedBodySize, 0)
      )
    )
    await context.close()
  }
  emit(`cold ${path}`, { useful: spread(useful), first_paint: spread(paint), script_bytes: Math.max(...bytes) })
}

for (const path of ['/', '/queue', `/incidents/${big}`, '/search', '/rules']) await cold(path)

// ---- from one page to another ----

async function routes() {
  const { context, page } = await sit(state)
  await page.goto('/me')
  await page.locator('nav a').first().waitFor()
  const paths = await page.locator('nav a[href^="/"]').evaluateAll((links) => [...new Set(links.map((a) => a.getAttribute('href')))])
  const took = new Map(paths.map((path) => [path, { head: [], useful: [] }]))
  for (let round = 0; round <= rounds; round++)
    for (const path of paths) {
      const measured = await page.evaluate(
        async (to) => {
          const headOf = () => document.querySelector('main h1')?.textContent
          const before = headOf()
          const link = document.querySelector(`nav a[href="${to}"]`)
          const begin = performance.now()
          link.click()
          const head = await window.painted(() => location.pathname === to && !!headOf() && headOf() !== before)
          const all = await window.painted(window.isUseful)
          return [head - begin, all - begin]
        },
        path
      )
      // Of the first round each page's script is fetched.
      if (round === 0) emit(`first visit ${path}`, { head_ms: Math.round(measured[0]), useful_ms: Math.round(measured[1]) })
      else {
        took.get(path).head.push(measured[0])
        took.get(path).useful.push(measured[1])
      }
    }
  for (const [path, { head, useful }] of took) emit(`route ${path}`, { page: spread(head), with_data: spread(useful) })
  await context.close()
}
await routes()

// ---- much of it ----

// Pages forward, and scrolls each down: how long until the next rows are painted, the longest task, and
// the longest time between two frames.
async function paged(lane, path, pages) {
  const { context, page } = await sit(state)
  await page.goto(path)
  await page.evaluate(() => window.painted(window.isUseful))
  await page.locator('main tbody tr').first().waitFor()
  await page.evaluate(() => {
    window.tasks.length = 0
  })
  const [turns, frames] = [[], []]
  for (let n = 0; n < pages; n++) {
    frames.push(
      await page.evaluate(
        () =>
          new Promise((done) => {
            let [last, most, steps] = [performance.now(), 0, 0]
            const step = (now) => {
              most = Math.max(most, now - last)
              last = now
              scrollBy(0, 200)
              if (++steps < 30) requestAnimationFrame(step)
              else done(most)
            }
            requestAnimationFrame(step)
          })
      )
    )
    const turned = await page.evaluate(async () => {
      const rowsOf = () => document.querySelector('main tbody tr')
      const before = rowsOf()
      const forward = [...document.querySelectorAll('.pager button')].at(-1)
      if (!forward || forward.disabled) return null
      const begin = performance.now()
      forward.click()
      return (await window.painted(() => !!rowsOf() && rowsOf() !== before)) - begin
    })
    if (turned === null) break
    turns.push(turned)
  }
  const tasks = await page.evaluate(() => window.tasks)
  const rows = await page.locator('main tbody tr').count()
  const heap = await page.evaluate(() => performance.memory.usedJSHeapSize)
  emit(lane, {
    rows,
    pages: spread(turns),
    longest_frame: spread(frames),
    longest_task_ms: Math.round(Math.max(0, ...tasks)),
    heap_mb: Math.round(heap / 1e6)
  })
  await context.close()
}
await paged('alerts of one incident', `/incidents/${big}?view=alerts`, 10)
await paged('alerts of the queue', '/queue?view=alerts', 20)
await paged('incidents of the queue', '/queue', 20)

// ---- a search shows what it has found before it is at its end ----

async function searched(lane, query) {
  const { context, page } = await sit(state)
  await page.goto('/search?q=zqxjabsent')
  await page.evaluate(() => window.painted(window.isUseful))
  await page.locator('input[role=combobox]').fill(query)
  const [firstRow, end, tasks] = await page.evaluate(async () => {
    const begin = performance.now()
    document.querySelector('.query > button').click()
    const shown = await window.painted(() => !!document.querySelector('.events tbody tr'))
    const ended = await window.painted(() => !document.querySelector('.standing progress'))
    return [shown - begin, ended - begin, window.tasks]
  })
  emit(lane, { first_row_ms: Math.round(firstRow), end_ms: Math.round(end), longest_task_ms: Math.round(Math.max(0, ...tasks)) })
  await context.close()
}
await searched('search, one row at the end', '*qxjwvplanted*')
await searched('search, 200 latest of many', 'bytes')
await browser.close()
