// SPDX-License-Identifier: EUPL-1.2
// The first visit to a Vaka that nobody has set up: node first.mjs WISHES (see console.py --new).
import { field, findFaults, logIn, press, SIZES } from './browser.mjs'
import { begin } from './house.mjs'
import { assert, end } from './tap.mjs'
import { typeCode } from './totp.mjs'

const { invites, browser, ask, leave, flow } = await begin()
const own = 'en lykta pa kajen i natt 7'

await flow('en', 'a wrong password is refused without saying what was wrong', async ({ t, sit }) => {
  const seat = await sit({ theme: 'light' })
  await seat.page.locator('input[autocomplete="username"]').fill('nobody')
  await seat.page.locator('input[autocomplete="current-password"]').fill('not this one')
  await press(seat.page, t('Logga in', 'Log in'))
  await seat.page.getByRole('alert').getByText(t('Namn eller lösenord stämmer inte.', 'Name or password is not right.')).waitFor()
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

// What the first two pages say.
const words = (t) => ({
  given: t('Lösenordet du fick', 'The password you were given'),
  own: t('Ditt nya lösenord', 'Your new password'),
  again: t('En gång till', 'Once more'),
  save: t('Spara', 'Save'),
  yours: t('Ditt lösenord', 'Your password'),
  show: t('Visa koden', 'Show the code'),
  code: t('Koden som appen visar', 'The code that the app shows'),
  confirm: t('Bekräfta', 'Confirm'),
  kept: t('Jag har sparat dem', 'I have kept them')
})

// The password and the app; the recovery codes.
async function getsIn(page, name, t) {
  const say = words(t)
  await logIn(page, name, invites[name])
  await field(page, say.given).fill(invites[name])
  await field(page, say.own).fill('kort')
  await field(page, say.again).fill('kort')
  await press(page, say.save)
  await page.locator('.field .wrong').waitFor()
  await isFine(page)
  await field(page, say.own).fill(own)
  await field(page, say.again).fill(own)
  await press(page, say.save)
  await field(page, say.yours).fill(own)
  await press(page, say.show)
  await page.locator('.qr svg').waitFor()
  await isFine(page)
  const secret = await page.locator('form code').textContent()
  await field(page, say.code).fill('000000')
  await press(page, say.confirm)
  await page.locator('.field .wrong, .note.bad').first().waitFor()
  await typeCode(secret, async (code) => {
    const answer = page.waitForResponse((r) => r.url().endsWith('/me/totp/confirm'))
    await field(page, say.code).fill(code)
    await press(page, say.confirm)
    return (await answer).ok()
  })
  await page.locator('.recovery li').first().waitFor()
  const codes = await page.locator('.recovery li').allTextContents()
  assert.equal(codes.length, 10)
  await press(page, say.kept)
  return codes
}

await flow('sv', 'the first visit goes from a password to a drill', async ({ t, sit }) => {
  const seat = await sit({ theme: 'light' })
  const { page } = seat
  const codes = await getsIn(page, 'chef', t)
  await heading(page, t('Vad heter er organisation?', 'What is your organisation called?'))
  await isFine(page)
  await field(page, t('Namn', 'Name')).fill('Ekby kommun')
  await press(page, t('Spara', 'Save'))
  await page.getByText(t('Nu: Ekby kommun', t('Nu: Ekby kommun', 'Now: Ekby kommun'))).waitFor()
  await press(page, t('Nästa', 'Next'))
  await heading(page, t('Anslut den första källan', 'Connect the first source'))
  await page.getByText(t('Lyssnar. Ingen har hörts än.', t('Lyssnar. Ingen har hörts än.', 'Listening. Nobody was heard yet.'))).waitFor()
  await page.getByRole('combobox', { name: t('Avsändare', 'Sender') }).selectOption({ label: 'Linux (rsyslog)' })
  await isFine(page)
  await ask('logged/hej')
  await page.getByText(t('Jag hör dig', t('Jag hör dig', 'I hear you'))).first().waitFor()
  await press(page, t('Nästa', 'Next'))
  await heading(page, t('Vem larmas först?', 'Who is paged first?'))
  await field(page, t('Namn', 'Name')).fill('Sven Ask')
  await field(page, t('Hur', 'How')).selectOption({ label: 'SMS' })
  await field(page, t('Nummer eller adress', 'Number or address')).fill('+46701740601')
  await isFine(page)
  await press(page, t('Larma den här personen …', 'Page this person …'))
  await page.getByRole('dialog').getByRole('button', { name: t('Spara', 'Save') }).click()
  // One person round the clock has no weekly rest: it is told, and nothing is saved yet.
  await page.getByText(t('Det här bryter mot vilan. Inget är sparat än.', t('Det här bryter mot vilan. Inget är sparat än.', 'This breaks rules of rest. Nothing is saved yet.'))).waitFor()
  assert.ok((await page.locator('.breaches li').count()) > 0)
  await isFine(page)
  await page.getByLabel(t('Spara ändå, med ett skäl', 'Save it anyway, with a reason')).check()
  await page.getByRole('dialog').getByRole('button', { name: t('Spara', 'Save') }).click()
  await page.locator('.on-call', { hasText: 'Sven Ask' }).waitFor()
  await isFine(page)
  await press(page, t('Nästa', 'Next'))
  await heading(page, t('Skicka ett provlarm', 'Send a test page'))
  await press(page, t('Skicka ett provlarm', 'Send a test page'))
  await page.locator('.tries li', { hasText: '0601' }).first().waitFor()
  while (!(await ask('sms/601'))) await page.waitForTimeout(200)
  await isFine(page)
  await ask('reply/601')
  await page.getByText(t(/^Provlarm \d+: (har svar|avslutat)$/, /^Test page \d+: (is answered|over)$/)).waitFor()
  await page.getByText(t('har svarat', t('har svarat', 'has answered'))).waitFor()
  await press(page, t('Nästa', 'Next'))
  await heading(page, t('Öva en gång', 'Drill once'))
  await field(page, t('Inspelning', 'Recording')).selectOption('julnatt')
  await isFine(page)
  await press(page, t('Börja övningen', 'Begin the drill'))
  await page.getByText(t(/^julnatt: \d+ av 975 loggposter skickade$/, /^julnatt: \d+ of 975 records sent$/)).waitFor()
  await isFine(page)
  await press(page, t('Avbryt övningen', 'End the drill'))
  await page.getByRole('button', { name: t('Börja övningen', 'Begin the drill') }).waitFor()
  await press(page, t('Till Nu', 'To Now'))
  await page.locator('.brand-of', { hasText: 'Ekby kommun' }).waitFor()
  // A recovery code is as good as the app, once.
  await page.context().clearCookies()
  await page.goto('/')
  await page.locator('input[autocomplete="username"]').fill('chef')
  await page.locator('input[autocomplete="current-password"]').fill(own)
  await press(page, t('Logga in', 'Log in'))
  await field(page, t('Kod från appen', 'Code from the app')).fill(codes[0])
  await press(page, t('Fortsätt', 'Continue'))
  await page.locator('.shell').waitFor()
  await leave(seat)
})

await flow('en', 'who comes second finds what is set up, by keyboard', async ({ t, sit }) => {
  const seat = await sit({})
  const { page } = seat
  await getsIn(page, 'boss', t)
  await heading(page, t('Vad heter er organisation?', 'What is your organisation called?'))
  await page.getByText(t('Nu: Ekby kommun', 'Now: Ekby kommun')).waitFor()
  const next = async () => {
    const button = page.getByRole('button', { name: t('Nästa', 'Next') })
    for (let i = 0; i < 40 && !(await button.evaluate((b) => b === document.activeElement)); i++)
      await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
  }
  await next()
  await heading(page, t('Anslut den första källan', 'Connect the first source'))
  await page.getByText(t('Jag hör dig', 'I hear you')).first().waitFor()
  await next()
  await heading(page, t('Vem larmas först?', 'Who is paged first?'))
  await page.getByText(t('Det finns en plan.', 'There is a plan.')).waitFor()
  await next()
  await heading(page, t('Skicka ett provlarm', 'Send a test page'))
  await page.getByRole('button', { name: t('Skicka ett provlarm', 'Send a test page') }).waitFor()
  await next()
  await heading(page, t('Öva en gång', 'Drill once'))
  await page.getByText(t('julnatt tog slut', 'julnatt ended')).waitFor()
  assert.deepEqual(await findFaults(page), [])
  await page.goBack()
  await heading(page, t('Skicka ett provlarm', 'Send a test page'))
  await leave(seat)
})

await browser.close()
end()
