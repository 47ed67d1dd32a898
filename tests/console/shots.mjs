// SPDX-License-Identifier: EUPL-1.2
// A picture of every page in both languages, light and dark, on a desk and on a phone: node shots.mjs
// WISHES (see console.py). Each is looked at by who changes a page.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { begin, eachLayer, PAGES, settled } from './house.mjs'
import { check, end } from './tap.mjs'

const { browser, shots, ask, sit, leave } = await begin()
mkdirSync(shots, { recursive: true })
await ask('relax')
await ask('plan')

const nameOf = (path) => path.replace(/[0-9a-f-]{36}|\d+/, 'one').replace(/\W+/g, '-').replace(/^-|-$/g, '') || 'now'
const picture = async (page, name, fullPage = true) => {
  await page.waitForFunction(() => !document.querySelector('.standing progress'))
  await page.waitForTimeout(300)
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage })
}

// Dialogs and menus are looked at by day on a desk in Swedish, and at night on a phone in English.
const LAYERED = ['sv-light-desktop', 'en-dark-phone']

async function everything(language, theme, size) {
  const look = `${language}-${theme}-${size}`
  const out = await sit({ language, theme, size })
  await picture(out.page, `login-${look}`)
  await leave(out)
  const seat = await sit({ language, theme, size }, 'alla')
  const seen = new Set()
  for (const path of PAGES) {
    await seat.page.goto(path)
    await settled(seat.page)
    await picture(seat.page, `${nameOf(path)}-${look}`)
    if (LAYERED.includes(look))
      await eachLayer(seat.page, path, seen, (what) =>
        picture(seat.page, `${nameOf(path)}-${nameOf(what)}-${look}`, false)
      )
  }
  await leave(seat)
}

for (const language of ['sv', 'en'])
  for (const theme of ['light', 'dark'])
    for (const size of ['desktop', 'phone'])
      await check(`pages in ${language}, ${theme}, on a ${size}`, () => everything(language, theme, size))

await browser.close()
end()
