// SPDX-License-Identifier: EUPL-1.2
// A picture of every page in both languages, light and dark, on a desk and on a phone: node shots.mjs
// WISHES (see console.py). Each is looked at by who changes a page.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { begin, PAGES, settled } from './house.mjs'
import { check, end } from './tap.mjs'

const { browser, shots, ask, sit, leave } = await begin()
mkdirSync(shots, { recursive: true })
await ask('relax')
await ask('plan')

const nameOf = (path) => path.replace(/\d+/, 'one').replace(/\W+/g, '-').replace(/^-|-$/g, '') || 'now'
const picture = async (page, name) => {
  await page.waitForTimeout(200)
  await page.screenshot({ path: join(shots, `${name}.png`) })
}

async function everything(language, theme, size) {
  const look = `${language}-${theme}-${size}`
  const out = await sit({ language, theme, size })
  await picture(out.page, `login-${look}`)
  await leave(out)
  const seat = await sit({ language, theme, size }, 'alla')
  for (const path of PAGES) {
    await seat.page.goto(path)
    await settled(seat.page)
    await picture(seat.page, `${nameOf(path)}-${look}`)
  }
  await leave(seat)
}

for (const language of ['sv', 'en'])
  for (const theme of ['light', 'dark'])
    for (const size of ['desktop', 'phone'])
      await check(`pages in ${language}, ${theme}, on a ${size}`, () => everything(language, theme, size))

await browser.close()
end()
