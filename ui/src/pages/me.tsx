// SPDX-License-Identifier: EUPL-1.2
// The own account: password, sessions and tokens.
import { useSignal } from '@preact/signals'
import { get, post } from '../lib/api'
import { useLoad } from '../lib/load'
import { enter } from '../lib/login'
import { me } from '../lib/session'
import { pick, texts } from '../lib/text'
import { toast } from '../lib/toasts'
import { AskDialog } from '../parts/dialog'
import { TextField } from '../parts/field'
import { Page } from '../parts/page'
import { Show } from '../parts/states'
import { OwnSessions, OwnTokens } from './admin/ways_in'

const t = texts({
  title: ['Mitt konto', 'My account'],
  password: ['Byt lösenord …', 'Change the password …'],
  old: ['Ditt lösenord', 'Your password'],
  fresh: ['Nytt lösenord', 'New password'],
  change: ['Byt', 'Change'],
  changed: [
    'Lösenordet är bytt. Andra inloggningar har avslutats.',
    'The password was changed. Other sessions have ended.'
  ],
  rights: ['Det här får du', 'What you may do'],
  sessions: ['Dina inloggningar', 'Your sessions'],
  tokens: ['Dina API-nycklar', 'Your API tokens'],
  tokensWhy: [
    'För program som frågar i ditt namn. De får högst det du får.',
    'For programs that ask in your name. They may do no more than you.'
  ]
})

function PasswordDialog({ onClose }: { onClose: () => void }) {
  const old = useSignal('')
  const fresh = useSignal('')
  return (
    <AskDialog
      title={t('password')}
      action={t('change')}
      onClose={onClose}
      onDone={async () => {
        await post('/me/password', { body: { password: old.value, new: fresh.value } })
        toast(t('changed'))
        await enter()
      }}
    >
      <TextField
        label={t('old')}
        hidden
        required
        autocomplete="current-password"
        value={old.value}
        onValue={(v) => (old.value = v)}
      />
      <TextField
        label={t('fresh')}
        hidden
        required
        autocomplete="new-password"
        value={fresh.value}
        onValue={(v) => (fresh.value = v)}
      />
    </AskDialog>
  )
}

function Rights() {
  const account = useLoad('own account', (signal) => get('/me', { signal }))
  return (
    <Show of={account}>
      {({ may }) => (
        <ul class="plain-list">
          {may.map((right) => (
            <li key={right.name}>
              {pick({ sv: right.text_sv, en: right.text })}{' '}
              <span class="mono quiet small">{right.name}</span>
            </li>
          ))}
        </ul>
      )}
    </Show>
  )
}

export default function Me() {
  const changing = useSignal(false)
  return (
    <Page
      title={t('title')}
      head={<span class="quiet">{me.value}</span>}
      actions={
        <button type="button" class="button" onClick={() => (changing.value = true)}>
          {t('password')}
        </button>
      }
    >
      <div class="stack">
        <section class="panel" aria-labelledby="sessions">
          <h2 id="sessions">{t('sessions')}</h2>
          <OwnSessions />
        </section>
        <section class="panel" aria-labelledby="tokens">
          <h2 id="tokens">{t('tokens')}</h2>
          <div class="stack">
            <p class="quiet">{t('tokensWhy')}</p>
            <OwnTokens />
          </div>
        </section>
        <section class="panel" aria-labelledby="rights">
          <h2 id="rights">{t('rights')}</h2>
          <Rights />
        </section>
      </div>
      {changing.value && <PasswordDialog onClose={() => (changing.value = false)} />}
    </Page>
  )
}
