// SPDX-License-Identifier: EUPL-1.2
// Ways in that exist: sessions of browsers, and tokens of programs; of all, and one's own.
import { useSignal } from '@preact/signals'
import { atSeconds, type Session, type Token } from '../../lib/accounts'
import { get, post, remove } from '../../lib/api'
import { type Loaded, useLoad } from '../../lib/load'
import { may } from '../../lib/session'
import { pick, texts } from '../../lib/text'
import { toast } from '../../lib/toasts'
import { AskDialog, Notice } from '../../parts/dialog'
import { Check, TextField } from '../../parts/field'
import { Time } from '../../parts/marks'
import { Empty, Show } from '../../parts/states'
import { type Column, Table } from '../../parts/table'
import { SecretShown } from './users'

const t = texts({
  tokens: ['API-nycklar', 'API tokens'],
  noTokens: ['Inga nycklar.', 'No tokens.'],
  sessions: ['Inloggade', 'Logged in'],
  name: ['Konto', 'Account'],
  label: ['Till vad', 'What for'],
  rights: ['Rättigheter', 'Rights'],
  used: ['Använd', 'Used'],
  never: ['aldrig', 'never'],
  expires: ['Gäller till', 'Good until'],
  from: ['Från', 'From'],
  since: ['Inloggad', 'Logged in'],
  seen: ['Senast sedd', 'Last seen'],
  end: ['Avsluta', 'End'],
  endOf: ['Avsluta {what}', 'End {what}'],
  endToken: ['Avsluta nyckeln?', 'End the token?'],
  endTokenText: [
    'Program som använder den kommer inte in längre.',
    'Programs that use it do not get in any more.'
  ],
  endSession: ['Avsluta inloggningen?', 'End the session?'],
  endSessionText: ['Den som sitter där får logga in igen.', 'Who sits there has to log in again.'],
  ended: ['Avslutad.', 'Ended.'],
  endOthers: ['Avsluta alla andra', 'End all others'],
  endOthersAsk: ['Avsluta alla andra inloggningar?', 'End all other sessions?'],
  endOthersText: [
    'Du förblir inloggad här. Överallt annars får du logga in igen.',
    'You stay logged in here. Everywhere else you have to log in again.'
  ],
  othersEnded: ['De andra är avslutade.', 'The others have ended.'],
  password: ['Ditt lösenord', 'Your password'],
  passwordWhy: [
    'Så att ingen annan som sitter här kan stänga dig ute.',
    'So that nobody else who sits here can shut you out.'
  ],
  foreign: [
    'Det går bara en kort stund efter att du har loggat in. Logga annars ut och in igen först.',
    'This works only shortly after you have logged in. Otherwise log out and in again first.'
  ],
  add: ['Ny nyckel', 'New token'],
  days: ['Dagar', 'Days'],
  once: ['Nyckeln', 'The token']
})

const DAY = 86400

function TokenTable({ page, own }: { page: Loaded<{ tokens: Token[] }>; own: boolean }) {
  const ending = useSignal<Token | null>(null)
  const columns: Column<Token>[] = [
    ...(own ? [] : [{ name: t('name'), show: (x: Token) => x.name }]),
    { name: t('label'), class: 'what', show: (x) => x.label },
    {
      name: t('rights'),
      class: 'what',
      show: (x) => <span class="mono small">{x.rights.join(' ')}</span>
    },
    {
      name: t('used'),
      class: 'late',
      show: (x) => (x.used ? <Time at={atSeconds(x.used)} /> : t('never'))
    },
    { name: t('expires'), class: 'late', show: (x) => <Time at={atSeconds(x.expires)} /> },
    {
      name: '',
      unseen: t('end'),
      class: 'late',
      show: (x) =>
        (own || may('tokens.manage')) && (
          <button
            type="button"
            class="button"
            aria-label={t('endOf', { what: x.label })}
            onClick={() => (ending.value = x)}
          >
            {t('end')}
          </button>
        )
    }
  ]
  return (
    <>
      <Show of={page}>
        {({ tokens }) =>
          tokens.length === 0 ? (
            <Empty>{t('noTokens')}</Empty>
          ) : (
            <Table caption={t('tokens')} columns={columns} rows={tokens} id={(x) => x.id} />
          )
        }
      </Show>
      {ending.value && (
        <AskDialog
          title={t('endToken')}
          action={t('end')}
          grave
          onClose={() => (ending.value = null)}
          onDone={async () => {
            const path = { id: String(ending.value?.id) }
            await remove(own ? '/me/tokens/{id}' : '/tokens/{id}', { path })
            toast(t('ended'))
            page.reload()
          }}
        >
          <p>{t('endTokenText')}</p>
        </AskDialog>
      )}
    </>
  )
}

interface SessionsProps {
  page: Loaded<{ sessions: Session[] }>
  own: boolean
  onEnd: (session: Session) => void
}

function SessionTable({ page, own, onEnd }: SessionsProps) {
  const columns: Column<Session>[] = [
    ...(own ? [] : [{ name: t('name'), show: (x: Session) => x.name }]),
    { name: t('from'), show: (x) => <span class="mono">{x.address}</span> },
    { name: t('since'), class: 'late', show: (x) => <Time at={atSeconds(x.made)} /> },
    { name: t('seen'), class: 'late', show: (x) => <Time at={atSeconds(x.seen)} /> },
    {
      name: '',
      unseen: t('end'),
      class: 'late',
      show: (x) =>
        (own || may('users.manage')) && (
          <button
            type="button"
            class="button"
            aria-label={t('endOf', { what: `${x.name} ${x.address} ${x.id}` })}
            onClick={() => onEnd(x)}
          >
            {t('end')}
          </button>
        )
    }
  ]
  return (
    <Show of={page}>
      {({ sessions }) => (
        <Table caption={t('sessions')} columns={columns} rows={sessions} id={(x) => x.id} />
      )}
    </Show>
  )
}

export function AllTokens() {
  const page = useLoad('tokens', (signal) => get('/tokens', { signal }))
  return <TokenTable page={page} own={false} />
}

export function AllSessions() {
  const page = useLoad('sessions', (signal) => get('/sessions', { signal }))
  const ending = useSignal<Session | null>(null)
  return (
    <>
      <SessionTable page={page} own={false} onEnd={(x) => (ending.value = x)} />
      {ending.value && (
        <AskDialog
          title={t('endSession')}
          action={t('end')}
          grave
          onClose={() => (ending.value = null)}
          onDone={async () => {
            await remove('/sessions/{id}', { path: { id: String(ending.value?.id) } })
            toast(t('ended'))
            page.reload()
          }}
        >
          <p>{t('endSessionText')}</p>
        </AskDialog>
      )}
    </>
  )
}

interface EndOwnProps {
  which: Session | 'others'
  onClose: () => void
  onEnded: () => void
}

// The password is shown again; who comes from elsewhere has none, and must have come just now.
function EndOwn({ which, onClose, onEnded }: EndOwnProps) {
  const password = useSignal('')
  const account = useLoad('own account', (signal) => get('/me', { signal }))
  const others = which === 'others'
  const end = async (elsewhere: boolean) => {
    const body = elsewhere ? {} : { password: password.value }
    if (others) await post('/me/sessions/end', { body })
    else await post('/me/sessions/{id}/end', { path: { id: String(which.id) }, body })
    toast(t(others ? 'othersEnded' : 'ended'))
    onEnded()
  }
  return (
    <Show of={account}>
      {({ user }) => (
        <AskDialog
          title={t(others ? 'endOthersAsk' : 'endSession')}
          action={t('end')}
          grave
          onClose={onClose}
          onDone={() => end(user.elsewhere)}
        >
          <p>{t(others ? 'endOthersText' : 'endSessionText')}</p>
          {user.elsewhere ? (
            <p>{t('foreign')}</p>
          ) : (
            <TextField
              label={t('password')}
              hint={t('passwordWhy')}
              hidden
              required
              autocomplete="current-password"
              value={password.value}
              onValue={(v) => (password.value = v)}
            />
          )}
        </AskDialog>
      )}
    </Show>
  )
}

export function OwnSessions() {
  const page = useLoad('own sessions', (signal) => get('/me/sessions', { signal }))
  const ending = useSignal<Session | 'others' | null>(null)
  return (
    <div class="stack">
      <div class="buttons">
        <button type="button" class="button" onClick={() => (ending.value = 'others')}>
          {t('endOthers')}
        </button>
      </div>
      <SessionTable page={page} own onEnd={(x) => (ending.value = x)} />
      {ending.value && (
        <EndOwn which={ending.value} onClose={() => (ending.value = null)} onEnded={page.reload} />
      )}
    </div>
  )
}

interface AddProps {
  onClose: () => void
  onMade: (token: string) => void
}

function AddToken({ onClose, onMade }: AddProps) {
  const label = useSignal('')
  const days = useSignal('90')
  const rights = useSignal<string[]>([])
  const account = useLoad('own account', (signal) => get('/me', { signal }))
  const own = account.value?.may ?? []
  const add = async () => {
    const expires = Math.trunc(Date.now() / 1000) + Number(days.value) * DAY
    const body = { label: label.value, rights: rights.value, expires }
    onMade((await post('/me/tokens', { body })).token)
  }
  return (
    <AskDialog title={t('add')} action={t('add')} onClose={onClose} onDone={add}>
      <TextField
        label={t('label')}
        value={label.value}
        required
        autoFocus
        onValue={(v) => (label.value = v)}
      />
      <TextField
        label={t('days')}
        value={days.value}
        short
        required
        inputMode="numeric"
        onValue={(v) => (days.value = v)}
      />
      <fieldset class="field">
        <legend>{t('rights')}</legend>
        <div class="choices columns">
          {own.map(({ name, text, text_sv }) => (
            <Check
              key={name}
              label={`${pick({ sv: text_sv, en: text })} (${name})`}
              value={rights.value.includes(name)}
              onValue={(on) => {
                const rest = rights.value.filter((r) => r !== name)
                rights.value = on ? [...rest, name] : rest
              }}
            />
          ))}
        </div>
      </fieldset>
    </AskDialog>
  )
}

export function OwnTokens() {
  const page = useLoad('own tokens', (signal) => get('/me/tokens', { signal }))
  const adding = useSignal(false)
  const made = useSignal('')
  return (
    <div class="stack">
      <div class="buttons">
        <button type="button" class="button" onClick={() => (adding.value = true)}>
          {t('add')}
        </button>
      </div>
      <TokenTable page={page} own />
      {adding.value && (
        <AddToken
          onClose={() => (adding.value = false)}
          onMade={(token) => {
            made.value = token
            page.reload()
          }}
        />
      )}
      {made.value && (
        <Notice title={t('once')} onClose={() => (made.value = '')}>
          <SecretShown title={t('once')} secret={made.value} />
        </Notice>
      )}
    </div>
  )
}
