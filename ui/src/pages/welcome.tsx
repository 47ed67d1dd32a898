// SPDX-License-Identifier: EUPL-1.2
// The first visit: a password of one's own, an app with codes, and then what has to be set up once.
import { useSignal } from '@preact/signals'
import { useLocation } from 'preact-iso/router'
import { Problem, post } from '../lib/api'
import { later } from '../lib/later'
import { enter, leave } from '../lib/login'
import { may, session } from '../lib/session'
import { texts } from '../lib/text'
import { sayProblem, toast } from '../lib/toasts'
import { TextField } from '../parts/field'
import { Note } from '../parts/states'
import { Step } from './welcome/step'

const Qr = later(() => import('../parts/qr'))
const First = later(() => import('./welcome/first'))

const t = texts({
  password: ['Välj ett lösenord', 'Choose a password'],
  passwordWhy: [
    'Det du loggade in med gäller bara den här gången.',
    'The one you logged in with is good for this time only.'
  ],
  given: ['Lösenordet du fick', 'The password you were given'],
  own: ['Ditt nya lösenord', 'Your new password'],
  ownHint: [
    'Minst 12 tecken. Flera ord som inte hör ihop är lätta att minnas.',
    'At least 12 characters. Several words that do not belong together are easy to remember.'
  ],
  again: ['En gång till', 'Once more'],
  differ: ['De två är olika.', 'The two differ.'],
  save: ['Spara', 'Save'],
  saved: ['Lösenordet är bytt.', 'The password was changed.'],
  app: ['Lägg till en app med koder', 'Add an app with codes'],
  appWhy: [
    'Den andra faktorn: Microsoft Authenticator, FreeOTP, Aegis eller en annan app för TOTP.',
    'The second factor: Microsoft Authenticator, FreeOTP, Aegis or another app for TOTP.'
  ],
  yours: ['Ditt lösenord', 'Your password'],
  begin: ['Visa koden', 'Show the code'],
  scan: ['Läs av koden med appen', 'Scan the code with the app'],
  byHand: ['Eller skriv in nyckeln för hand:', 'Or type the key by hand:'],
  code: ['Koden som appen visar', 'The code that the app shows'],
  codeHint: [
    'Den gäller i 30 sekunder. Har den gått ut, skriv nästa.',
    'It is good for 30 seconds. When it has run out, type the next one.'
  ],
  confirm: ['Bekräfta', 'Confirm'],
  recovery: ['Spara återställningskoderna', 'Keep the recovery codes'],
  recoveryWhy: [
    'Var och en fungerar en gång, om du tappar bort appen. De visas bara nu: skriv ut dem eller lägg dem i en lösenordshanterare.',
    'Each works once, if you lose the app. They are shown only now: print them or put them into a password manager.'
  ],
  kept: ['Jag har sparat dem', 'I have kept them'],
  leave: ['Logga ut', 'Log out']
})

const Leave = () => (
  <button type="button" class="button bare" onClick={leave}>
    {t('leave')}
  </button>
)

// The member that the API found wrong has its words beside it; all else stands above.
function useErrors() {
  const error = useSignal<unknown>(undefined)
  const at = (member: string) => {
    const e = error.value
    return e instanceof Problem && e.said.pointer === `/${member}` ? e.message : undefined
  }
  const rest = () => {
    const e = error.value
    return e && !(e instanceof Problem && e.said.pointer) ? sayProblem(e) : ''
  }
  const run = async (work: () => Promise<void>) => {
    error.value = undefined
    await work().catch((problem) => (error.value = problem))
  }
  return { at, rest, run }
}

// Who may set up this Vaka goes on to that.
function goOn(route: (to: string) => void) {
  if (!session.value?.must && may('config.write')) route('/welcome')
}

function NewPassword() {
  const { route } = useLocation()
  const given = useSignal('')
  const own = useSignal('')
  const again = useSignal('')
  const errors = useErrors()
  const differ = again.value !== '' && own.value !== again.value
  const submit = (event: Event) => {
    event.preventDefault()
    if (own.value !== again.value) return
    void errors.run(async () => {
      await post('/me/password', { body: { password: given.value, new: own.value } })
      toast(t('saved'))
      await enter()
      goOn(route)
    })
  }
  return (
    <Step n={1} title={t('password')} foot={<Leave />}>
      <p class="quiet">{t('passwordWhy')}</p>
      <form onSubmit={submit}>
        {errors.rest() && <Note kind="bad">{errors.rest()}</Note>}
        <TextField
          label={t('given')}
          hidden
          required
          autocomplete="current-password"
          value={given.value}
          wrong={errors.at('password')}
          onValue={(v) => (given.value = v)}
        />
        <TextField
          label={t('own')}
          hint={t('ownHint')}
          hidden
          required
          autocomplete="new-password"
          value={own.value}
          wrong={errors.at('new')}
          onValue={(v) => (own.value = v)}
        />
        <TextField
          label={t('again')}
          hidden
          required
          autocomplete="new-password"
          value={again.value}
          wrong={differ ? t('differ') : undefined}
          onValue={(v) => (again.value = v)}
        />
        <button type="submit" class="button first">
          {t('save')}
        </button>
      </form>
    </Step>
  )
}

interface Key {
  uri: string
  secret: string
}

function App() {
  const { route } = useLocation()
  const password = useSignal('')
  const key = useSignal<Key | undefined>(undefined)
  const code = useSignal('')
  const recovery = useSignal<string[]>([])
  const errors = useErrors()
  const begin = (event: Event) => {
    event.preventDefault()
    void errors.run(async () => {
      key.value = await post('/me/totp', { body: { password: password.value } })
    })
  }
  const confirm = (event: Event) => {
    event.preventDefault()
    void errors.run(async () => {
      const answer = await post('/me/totp/confirm', { body: { code: code.value.trim() } })
      recovery.value = answer.recovery
    })
  }
  if (recovery.value.length > 0)
    return (
      <Step n={2} title={t('recovery')} foot={<Leave />}>
        <p>{t('recoveryWhy')}</p>
        <ul class="recovery mono">
          {recovery.value.map((c) => (
            <li key={c}>{c}</li>
          ))}
        </ul>
        <button type="button" class="button first" onClick={() => enter().then(() => goOn(route))}>
          {t('kept')}
        </button>
      </Step>
    )
  return (
    <Step n={2} title={t('app')} foot={<Leave />}>
      <p class="quiet">{t('appWhy')}</p>
      {errors.rest() && <Note kind="bad">{errors.rest()}</Note>}
      {key.value ? (
        <form onSubmit={confirm}>
          <Qr text={key.value.uri} label={t('scan')} />
          <p>
            {t('byHand')} <code>{key.value.secret}</code>
          </p>
          <TextField
            label={t('code')}
            hint={t('codeHint')}
            short
            required
            autoFocus
            autocomplete="one-time-code"
            value={code.value}
            wrong={errors.at('code')}
            onValue={(v) => (code.value = v)}
          />
          <button type="submit" class="button first">
            {t('confirm')}
          </button>
        </form>
      ) : (
        <form onSubmit={begin}>
          <TextField
            label={t('yours')}
            hidden
            required
            autocomplete="current-password"
            value={password.value}
            wrong={errors.at('password')}
            onValue={(v) => (password.value = v)}
          />
          <button type="submit" class="button first">
            {t('begin')}
          </button>
        </form>
      )}
    </Step>
  )
}

export default function Welcome() {
  const must = session.value?.must
  if (must === 'change_password') return <NewPassword />
  return must === 'enrol' ? <App /> : <First />
}
