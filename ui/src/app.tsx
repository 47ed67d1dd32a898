// SPDX-License-Identifier: EUPL-1.2
import { useSignalEffect } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { ErrorBoundary } from 'preact-iso/lazy'
import { LocationProvider, Route, Router, useLocation } from 'preact-iso/router'
import { later } from './lib/later'
import { startLive, stopLive } from './lib/live'
import { unanswered } from './lib/login'
import { askOrganisation } from './lib/organisation'
import { may, session } from './lib/session'
import { texts } from './lib/text'
import { startWatch, stopWatch } from './lib/watch'
import { pages } from './pages'
import { Page } from './parts/page'
import { Note } from './parts/states'
import { Shell, Toasts } from './shell'

const t = texts({
  unanswered: ['Vaka svarar inte', 'Vaka does not answer'],
  unansweredText: [
    'Konsolen försöker igen hela tiden. Varar det: kontrollera nätet, och vaka.service på servern.',
    'The console keeps trying. If it lasts: look at the network, and at vaka.service on the server.'
  ],
  absent: ['Sidan finns inte', 'There is no such page'],
  absentText: ['Adressen leder ingenstans.', 'The address leads nowhere.'],
  toNow: ['Till Nu', 'To Now'],
  forbidden: ['Du saknar rättighet', 'You lack the right'],
  forbiddenText: [
    'Sidan behöver rättigheten {right}. Den som sköter konton kan ge dig en roll som har den.',
    'The page needs the right {right}. Who manages accounts can give you a role that has it.'
  ]
})

const Login = later(() => import('./pages/login'))
const Welcome = later(() => import('./pages/welcome'))

const Absent = () => (
  <Page title={t('absent')}>
    <Note>
      <p>{t('absentText')}</p>
      <a class="button" href="/">
        {t('toNow')}
      </a>
    </Note>
  </Page>
)

const Forbidden = ({ right }: { right: string }) => (
  <Page title={t('forbidden')}>
    <Note>
      <p>{t('forbiddenText', { right })}</p>
    </Note>
  </Page>
)

// A page is there for who may see what is on it.
const guarded = pages.map(({ path, page: Shown, right }) => ({
  path,
  shown: () => (right && !may(right) ? <Forbidden right={right} /> : <Shown />)
}))

// Where one has gone is where one reads on.
function Pages() {
  const { path } = useLocation()
  const main = useRef<HTMLElement>(null)
  const first = useRef(true)
  useEffect(() => {
    if (!first.current) {
      main.current?.focus({ preventScroll: true })
      scrollTo(0, 0)
    }
    first.current = false
  }, [path])
  return (
    <main id="main" tabIndex={-1} ref={main}>
      <Router>
        {guarded.map(({ path: at, shown }) => (
          <Route key={at} path={at} component={shown} />
        ))}
        <Route default component={Absent} />
      </Router>
    </main>
  )
}

function Inside() {
  useSignalEffect(() => {
    if (!session.value) return
    if (may('alerts.read')) startLive()
    startWatch()
    askOrganisation()
    return () => {
      stopLive()
      stopWatch()
    }
  })
  const { path } = useLocation()
  if (session.value?.must)
    return (
      <main id="main">
        <Welcome />
      </main>
    )
  if (path === '/wall' || path === '/welcome') return <Pages />
  return (
    <Shell>
      <Pages />
    </Shell>
  )
}

const Unanswered = () => (
  <main class="gate">
    <h1>{t('unanswered')}</h1>
    <p role="status">{t('unansweredText')}</p>
  </main>
)

export function App() {
  if (session.value === undefined) return unanswered.value ? <Unanswered /> : null
  return (
    <LocationProvider>
      <ErrorBoundary>{session.value ? <Inside /> : <Login />}</ErrorBoundary>
      <Toasts />
    </LocationProvider>
  )
}
