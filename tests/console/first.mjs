// SPDX-License-Identifier: EUPL-1.2
// The first visit to a Vaka that nobody has set up: node first.mjs WISHES (see console.py --new).
import { field, findFaults, logIn, press, SIZES } from './browser.mjs'
import { begin } from './house.mjs'
import { assert, check, end } from './tap.mjs'
import { typeCode } from './totp.mjs'

const { invites, browser, ask, sit, leave } = await begin()
const own = 'en lykta pa kajen i natt 7'

await check('a wrong password is refused without saying what was wrong', async () => {
  const seat = await sit({ language: 'en', theme: 'light' })
  await seat.page.locator('input[autocomplete="username"]').fill('nobody')
  await seat.page.locator('input[autocomplete="current-password"]').fill('not this one')
  await press(seat.page, 'Log in')
  await seat.page.getByRole('alert').getByText('Name or password is not right.').waitFor()
  assert.deepEqual(await findFaults(seat.page), [])
  await leave(seat)
})

// Nothing wrong, and nothing wider than a screen of 320 pixels.
async function isFine(page) {
  assert.deepEqual(await findFaults(page), [])
  await page.setViewportSize(SIZES.zoomed)
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= SIZES.zoomed.width)
  await page.setViewportSize(SIZES.desktop)
}

const heading = (page, name) => page.getByRole('heading', { name, exact: true }).waitFor()

// The password and the app; the recovery codes.
async function getsIn(page, name, t) {
  await logIn(page, name, invites[name])
  await field(page, t.given).fill(invites[name])
  await field(page, t.own).fill('kort')
  await field(page, t.again).fill('kort')
  await press(page, t.save)
  await page.locator('.field .wrong').waitFor()
  await isFine(page)
  await field(page, t.own).fill(own)
  await field(page, t.again).fill(own)
  await press(page, t.save)
  await field(page, t.yours).fill(own)
  await press(page, t.show)
  await page.locator('.qr svg').waitFor()
  await isFine(page)
  const secret = await page.locator('form code').textContent()
  await field(page, t.code).fill('000000')
  await press(page, t.confirm)
  await page.locator('.field .wrong, .note.bad').first().waitFor()
  await typeCode(secret, async (code) => {
    const answer = page.waitForResponse((r) => r.url().endsWith('/me/totp/confirm'))
    await field(page, t.code).fill(code)
    await press(page, t.confirm)
    return (await answer).ok()
  })
  await page.locator('.recovery li').first().waitFor()
  const codes = await page.locator('.recovery li').allTextContents()
  assert.equal(codes.length, 10)
  await press(page, t.kept)
  return codes
}

const SV = {
  given: 'Lösenordet du fick',
  own: 'Ditt nya lösenord',
  again: 'En gång till',
  save: 'Spara',
  yours: 'Ditt lösenord',
  show: 'Visa koden',
  code: 'Koden som appen visar',
  confirm: 'Bekräfta',
  kept: 'Jag har sparat dem'
}
const EN = {
  given: 'The password you were given',
  own: 'Your new password',
  again: 'Once more',
  save: 'Save',
  yours: 'Your password',
  show: 'Show the code',
  code: 'The code that the app shows',
  confirm: 'Confirm',
  kept: 'I have kept them'
}

await check('the first visit goes from a password to a drill, in Swedish', async () => {
  const seat = await sit({ theme: 'light' })
  const { page } = seat
  const codes = await getsIn(page, 'chef', SV)
  await heading(page, 'Vad heter er organisation?')
  await isFine(page)
  await field(page, 'Namn').fill('Ekby kommun')
  await press(page, 'Spara')
  await page.getByText('Nu: Ekby kommun').waitFor()
  await press(page, 'Nästa')
  await heading(page, 'Anslut den första källan')
  await page.getByText('Lyssnar. Ingen har hörts än.').waitFor()
  await page.getByRole('combobox', { name: 'Avsändare' }).selectOption({ label: 'Linux (rsyslog)' })
  await isFine(page)
  await ask('logged/hej')
  await page.getByText('Jag hör dig').first().waitFor()
  await press(page, 'Nästa')
  await heading(page, 'Vem larmas först?')
  await field(page, 'Namn').fill('Sven Ask')
  await field(page, 'Hur').selectOption({ label: 'SMS' })
  await field(page, 'Nummer eller adress').fill('+46701740601')
  await isFine(page)
  await press(page, 'Larma den här personen …')
  await page.getByRole('dialog').getByRole('button', { name: 'Spara' }).click()
  // One person round the clock has no weekly rest: it is told, and nothing is saved yet.
  await page.getByText('Det här bryter mot vilan. Inget är sparat än.').waitFor()
  assert.ok((await page.locator('.breaches li').count()) > 0)
  await isFine(page)
  await page.getByLabel('Spara ändå, med ett skäl').check()
  await page.getByRole('dialog').getByRole('button', { name: 'Spara' }).click()
  await page.locator('.on-call', { hasText: 'Sven Ask' }).waitFor()
  await isFine(page)
  await press(page, 'Nästa')
  await heading(page, 'Skicka ett provlarm')
  await press(page, 'Skicka ett provlarm')
  await page.locator('.tries li', { hasText: '0601' }).first().waitFor()
  while (!(await ask('sms/601'))) await page.waitForTimeout(200)
  await isFine(page)
  await ask('reply/601')
  await page.getByText(/^Provlarm \d+: (har svar|avslutat)$/).waitFor()
  await page.getByText('har svarat').waitFor()
  await press(page, 'Nästa')
  await heading(page, 'Öva en gång')
  await field(page, 'Inspelning').selectOption('julnatt')
  await isFine(page)
  await press(page, 'Börja övningen')
  await page.getByText(/^julnatt: \d+ av 975 loggposter skickade$/).waitFor()
  await isFine(page)
  await press(page, 'Avbryt övningen')
  await page.getByRole('button', { name: 'Börja övningen' }).waitFor()
  await press(page, 'Till Nu')
  await page.locator('.brand-of', { hasText: 'Ekby kommun' }).waitFor()
  // A recovery code is as good as the app, once.
  await page.context().clearCookies()
  await page.goto('/')
  await page.locator('input[autocomplete="username"]').fill('chef')
  await page.locator('input[autocomplete="current-password"]').fill(own)
  await press(page, 'Logga in')
  await field(page, 'Kod från appen').fill(codes[0])
  await press(page, 'Fortsätt')
  await page.locator('.shell').waitFor()
  await leave(seat)
})

await check('who comes second finds what is set up, by keyboard, in English', async () => {
  const seat = await sit({ language: 'en' })
  const { page } = seat
  await getsIn(page, 'boss', EN)
  await heading(page, 'What is your organisation called?')
  await page.getByText('Now: Ekby kommun').waitFor()
  const next = async () => {
    const button = page.getByRole('button', { name: 'Next' })
    for (let i = 0; i < 40 && !(await button.evaluate((b) => b === document.activeElement)); i++)
      await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
  }
  await next()
  await heading(page, 'Connect the first source')
  await page.getByText('I hear you').first().waitFor()
  await next()
  await heading(page, 'Who is paged first?')
  await page.getByText('There is a plan.').waitFor()
  await next()
  await heading(page, 'Send a test page')
  await page.getByRole('button', { name: 'Send a test page' }).waitFor()
  await next()
  await heading(page, 'Drill once')
  await page.getByText('julnatt ended').waitFor()
  assert.deepEqual(await findFaults(page), [])
  await page.goBack()
  await heading(page, 'Send a test page')
  await leave(seat)
})

await browser.close()
end()
