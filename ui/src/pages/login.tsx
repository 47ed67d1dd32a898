// SPDX-License-Identifier: EUPL-1.2
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { useLocation } from 'preact-iso/router'
import { get, Problem, post, type Schema } from '../lib/api'
import { formatSpan } from '../lib/format'
import { ownPath } from '../lib/links'
import { useLoad } from '../lib/load'
import { accept, comeBack, goElsewhere } from '../lib/login'
import { language } from '../lib/prefs'
import { texts } from '../lib/text'
import { sayProblem, toastProblem } from '../lib/toasts'
import { TextField } from '../parts/field'
import { Page } from '../parts/page'
import { Loading, Note } from '../parts/states'

const t = texts({
  title: ['Logga in', 'Log in'],
  name: ['Användarnamn', 'User name'],
  password: ['Lösenord', 'Password'],
  enter: ['Logga in', 'Log in'],
  elsewhere: ['Logga in med kommunens konto', 'Log in with the municipality’s account'],
  or: ['eller', 'or'],
  code: ['Kod från appen', 'Code from the app'],
  codeHint: [
    'Sex siffror, som gäller i 30 sekunder, eller en av dina återställningskoder.',
    'Six digits, which are good for 30 seconds, or one of your recovery codes.'
  ],
  goOn: ['Fortsätt', 'Continue'],
  again: ['Börja om', 'Start again'],
  wrong: ['Namn eller lösenord stämmer inte.', 'Name or password is not right.'],
  wrongCode: [
    'Koden stämmer inte, eller har gått ut. Skriv nästa som appen visar.',
    'The code is not right, or has run out. Type the next one that the app shows.'
  ],
  wait: ['För många försök. Vänta {span}.', 'Too many attempts. Wait {span}.'],
  other: ['English', 'Svenska']
})

// A refused login says nothing about which part was wrong.
function sayRefusal(error: unknown, wrong: string): string {
  if (!(error instanceof Problem)) throw error
  if (error.status === 401) return wrong
  if (error.status === 429) return t('wait', { span: formatSpan(error.after) })
  return sayProblem(error)
}

function Password({ onCode }: { onCode: (secret: string) => void }) {
  const name = useSignal('')
  const password = useSignal('')
  const error = useSignal('')
  const submit = async (event: Event) => {
    event.preventDefault()
    try {
      const body = { name: name.value.trim(), password: password.value }
      const answer: Schema<'Session'> = await post('/session', { body, again: true })
      if (answer.needs_code) onCode(answer.secret ?? '')
      else accept(answer)
    } catch (problem) {
      error.value = sayRefusal(problem, t('wrong'))
    }
  }
  return (
    <form onSubmit={submit}>
      {error.value && <Note kind="bad">{error.value}</Note>}
      <TextField
        label={t('name')}
        value={name.value}
        onValue={(v) => (name.value = v)}
        autocomplete="username"
        required
        autoFocus
      />
      <TextField
        label={t('password')}
        hidden
        value={password.value}
        onValue={(v) => (password.value = v)}
        autocomplete="current-password"
        required
      />
      <button type="submit" class="button first">
        {t('enter')}
      </button>
    </form>
  )
}

function Code({ secret, onAgain }: { secret: string; onAgain: () => void }) {
  const code = useSignal('')
  const error = useSignal('')
  const submit = async (event: Event) => {
    event.preventDefault()
    try {
      accept(await post('/session/code', { body: { secret, code: code.value.trim() } }))
    } catch (problem) {
      error.value = sayRefusal(problem, t('wrongCode'))
    }
  }
  return (
    <form onSubmit={submit}>
      {error.value && <Note kind="bad">{error.value}</Note>}
      <TextField
        label={t('code')}
        hint={t('codeHint')}
        value={code.value}
        onValue={(v) => (code.value = v)}
        autocomplete="one-time-code"
        short
        required
        autoFocus
      />
      <div class="buttons">
        <button type="submit" class="button first">
          {t('goOn')}
        </button>
        <button type="button" class="button" onClick={onAgain}>
          {t('again')}
        </button>
      </div>
    </form>
  )
}

// What the identity provider sent back; once.
function Returned({ query }: { query: Record<string, string> }) {
  const { route } = useLocation()
  useEffect(() => {
    comeBack(new URLSearchParams(query)).then(
      () => route(ownPath(sessionStorage.getItem('vaka.back')), true),
      (problem) => {
        toastProblem(problem)
        route('/', true)
      }
    )
  }, [])
  return <Loading />
}

function Ways() {
  const { url } = useLocation()
  const ways = useLoad('ways', (signal) => get('/session/ways', { signal }))
  const secret = useSignal('')
  if (secret.value) return <Code secret={secret.value} onAgain={() => (secret.value = '')} />
  return (
    <>
      {ways.value?.elsewhere && (
        <>
          <button
            type="button"
            class="button first"
            onClick={() => goElsewhere(url).catch(toastProblem)}
          >
            {t('elsewhere')}
          </button>
          <p class="quiet">{t('or')}</p>
        </>
      )}
      <Password onCode={(s) => (secret.value = s)} />
    </>
  )
}

export default function Login() {
  const { path, query } = useLocation()
  return (
    <main class="gate">
      <Page
        title={t('title')}
        head={<span class="gate-brand">Vaka</span>}
        actions={
          <button
            type="button"
            class="button bare"
            lang={language.value === 'sv' ? 'en' : 'sv'}
            onClick={() => {
              language.value = language.value === 'sv' ? 'en' : 'sv'
            }}
          >
            {t('other')}
          </button>
        }
      >
        <div class="stack">{path === '/login/return' ? <Returned query={query} /> : <Ways />}</div>
      </Page>
    </main>
  )
}
