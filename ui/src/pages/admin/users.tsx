// SPDX-License-Identifier: EUPL-1.2
// Accounts and their roles. What is changed has a reason, which the log keeps.
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { type Account, atSeconds, type GivenPassword, rolesOf } from '../../lib/accounts'
import { get, post, put, remove } from '../../lib/api'
import { useLoad } from '../../lib/load'
import { may } from '../../lib/session'
import { pick, texts } from '../../lib/text'
import { toast } from '../../lib/toasts'
import { AskDialog, Notice } from '../../parts/dialog'
import { Check, TextField } from '../../parts/field'
import { Kept } from '../../parts/kept'
import { Time } from '../../parts/marks'
import { Menu } from '../../parts/menu'
import { Show } from '../../parts/states'
import { type Column, Table } from '../../parts/table'

const t = texts({
  users: ['Konton', 'Accounts'],
  none: ['Inga konton.', 'No accounts.'],
  add: ['Nytt konto', 'New account'],
  name: ['Namn', 'Name'],
  nameHint: ['Bokstäver, siffror och . _ - @', 'Letters, digits and . _ - @'],
  shown: ['Visas som', 'Shown as'],
  roles: ['Roller', 'Roles'],
  rights: ['Rättigheter', 'Rights'],
  viewer: ['läsare', 'viewer'],
  analyst: ['analytiker', 'analyst'],
  responder: ['insatsansvarig', 'responder'],
  'on-call': ['beredskapshavare', 'on-call'],
  admin: ['administratör', 'administrator'],
  auditor: ['granskare', 'auditor'],
  made: ['Skapat', 'Made'],
  state: ['Läge', 'State'],
  active: ['i bruk', 'active'],
  disabled: ['avstängt', 'disabled'],
  given: ['har inte bytt lösenord', 'has not changed the password'],
  noApp: ['utan app för koder', 'no app for codes'],
  app: ['app med koder', 'app with codes'],
  elsewhere: ['identitetstjänst', 'identity provider'],
  change: ['Ändra', 'Change'],
  changeOne: ['Ändra {name}', 'Change {name}'],
  setRoles: ['Roller …', 'Roles …'],
  setPassword: ['Nytt lösenord …', 'New password …'],
  takeApp: ['Ta bort appen …', 'Take the app away …'],
  unlock: ['Lås upp …', 'Unlock …'],
  disable: ['Stäng av …', 'Disable …'],
  enable: ['Sätt i bruk …', 'Enable …'],
  remove: ['Ta bort …', 'Remove …'],
  why: ['Skäl', 'Reason'],
  save: ['Spara', 'Save'],
  done: ['Gjort.', 'Done.'],
  disableText: [
    'Ingen kommer in med kontot, och dess inloggningar upphör.',
    'Nobody can log in with the account, and its sessions end.'
  ],
  enableText: ['Kontot kan användas igen.', 'The account can be used again.'],
  appText: [
    'För den som tappat sin app. Vid nästa inloggning läggs en ny till.',
    'For someone who has lost the app. A new one is added at the next login.'
  ],
  unlockText: ['Felaktiga försök glöms.', 'Wrong attempts are forgotten.'],
  removeText: [
    'Kontot försvinner. Det som det gjort står kvar i loggarna.',
    'The account goes. What it did stays in the logs.'
  ],
  passwordText: [
    'Vaka gör ett lösenord, som gäller tills det byts vid nästa inloggning.',
    'Vaka makes a password, which is good until it is changed at the next login.'
  ],
  secret: ['Lösenord för {name}', 'Password of {name}'],
  once: [
    'Det visas bara nu. Lämna det så att ingen annan ser det.',
    'It is shown only now. Hand it over so that nobody else sees it.'
  ],
  until: ['Gäller till', 'Good until']
})

const ROLES = ['viewer', 'analyst', 'responder', 'on-call', 'admin', 'auditor'] as const
const roleName = (role: string) => {
  const known = ROLES.find((r) => r === role)
  return known ? t(known) : role
}

type Acts = 'disable' | 'enable' | 'totp' | 'unlock' | 'remove' | 'password' | 'roles'
interface Change {
  of: Account
  act: Acts
}

const TEXTS = {
  disable: ['disable', 'disableText'],
  enable: ['enable', 'enableText'],
  totp: ['takeApp', 'appText'],
  unlock: ['unlock', 'unlockText'],
  remove: ['remove', 'removeText'],
  password: ['setPassword', 'passwordText']
} as const

async function change(of: Account, act: Exclude<Acts, 'roles'>, reason: string) {
  const path = { name: of.name }
  const body = reason ? { reason } : {}
  if (act === 'remove') await remove('/users/{name}', { path })
  else if (act === 'password')
    return (await post('/users/{name}/password', { path, body })) as unknown as GivenPassword
  else await post(`/users/{name}/${act}`, { path, body })
  return null
}

interface DialogProps {
  of: Account
  onClose: () => void
  onDone: (given: GivenPassword | null) => void
}

function ChangeDialog({ of, act, onClose, onDone }: DialogProps & { act: Exclude<Acts, 'roles'> }) {
  const reason = useSignal('')
  const [title, text] = TEXTS[act]
  return (
    <AskDialog
      title={`${t(title).replace(' …', '')}: ${of.name}`}
      action={t(title).replace(' …', '')}
      grave={act === 'remove' || act === 'disable'}
      onClose={onClose}
      onDone={async () => {
        const given = await change(of, act, reason.value)
        if (!given) toast(t('done'))
        onDone(given)
      }}
    >
      <p>{t(text)}</p>
      <TextField label={t('why')} value={reason.value} onValue={(v) => (reason.value = v)} />
    </AskDialog>
  )
}

function RoleChoice({
  chosen,
  onChosen
}: {
  chosen: string[]
  onChosen: (roles: string[]) => void
}) {
  return (
    <fieldset class="field">
      <legend>{t('roles')}</legend>
      <div class="choices">
        {ROLES.map((role) => (
          <Check
            key={role}
            label={t(role)}
            value={chosen.includes(role)}
            onValue={(on) => onChosen(on ? [...chosen, role] : chosen.filter((r) => r !== role))}
          />
        ))}
      </div>
    </fieldset>
  )
}

function RolesDialog({ of, onClose, onDone }: DialogProps) {
  const before = rolesOf(of)
  const roles = useSignal(before)
  const reason = useSignal('')
  const save = async () => {
    const path = (role: string) => ({ name: of.name, role })
    const body = reason.value ? { reason: reason.value } : {}
    for (const role of roles.value.filter((r) => !before.includes(r)))
      await put('/users/{name}/roles/{role}', { path: path(role), body })
    for (const role of before.filter((r) => !roles.value.includes(r)))
      await remove('/users/{name}/roles/{role}', { path: path(role) })
    toast(t('done'))
    onDone(null)
  }
  return (
    <AskDialog
      title={`${t('roles')}: ${of.name}`}
      action={t('save')}
      onClose={onClose}
      onDone={save}
    >
      <RoleChoice chosen={roles.value} onChosen={(now) => (roles.value = now)} />
      <TextField label={t('why')} value={reason.value} onValue={(v) => (reason.value = v)} />
    </AskDialog>
  )
}

function AddDialog({ onClose, onDone }: Omit<DialogProps, 'of'>) {
  const name = useSignal('')
  const shown = useSignal('')
  const roles = useSignal<string[]>(['viewer'])
  const add = async () => {
    const body = {
      name: name.value,
      roles: roles.value,
      ...(shown.value && { shown: shown.value })
    }
    onDone((await post('/users', { body })) as unknown as GivenPassword)
  }
  return (
    <AskDialog title={t('add')} action={t('add')} onClose={onClose} onDone={add}>
      <TextField
        label={t('name')}
        hint={t('nameHint')}
        value={name.value}
        required
        autoFocus
        onValue={(v) => (name.value = v)}
      />
      <TextField label={t('shown')} value={shown.value} onValue={(v) => (shown.value = v)} />
      <RoleChoice chosen={roles.value} onChosen={(now) => (roles.value = now)} />
    </AskDialog>
  )
}

export function SecretShown({
  title,
  secret,
  children
}: {
  title: string
  secret: string
  children?: ComponentChildren
}) {
  return (
    <>
      <p>{t('once')}</p>
      <pre class="recipe">
        <code title={title}>{secret}</code>
      </pre>
      {children}
    </>
  )
}

const StateOf = ({ of }: { of: Account }) => (
  <>
    {of.disabled ? <span class="tag open">{t('disabled')}</span> : <span>{t('active')}</span>}
    <span class="quiet small block">
      {[
        of.elsewhere ? t('elsewhere') : of.app ? t('app') : t('noApp'),
        !of.own_password && !of.elsewhere && t('given')
      ]
        .filter(Boolean)
        .join(', ')}
    </span>
  </>
)

export function Users() {
  const page = useLoad('users', (signal) => get('/users', { signal }))
  const changing = useSignal<Change | null>(null)
  const given = useSignal<GivenPassword | null>(null)
  const done = (secret: GivenPassword | null) => {
    if (secret?.password) given.value = secret
    page.reload()
  }
  const begin = (of: Account, act: Acts) => () => (changing.value = { of, act })
  const columns: Column<Account>[] = [
    {
      name: t('name'),
      class: 'what',
      show: (u) => (
        <>
          <span class="strong">{u.name}</span>
          {u.shown !== u.name && <span class="quiet small block">{u.shown}</span>}
        </>
      )
    },
    { name: t('roles'), show: (u) => rolesOf(u).map(roleName).join(', ') || '–' },
    { name: t('state'), show: (u) => <StateOf of={u} /> },
    { name: t('made'), show: (u) => <Time at={atSeconds(u.made)} show="at" /> },
    {
      name: '',
      unseen: t('change'),
      show: (u) =>
        may('users.manage') && (
          <Menu label={t('change')} name={t('changeOne', { name: u.name })}>
            <button type="button" onClick={begin(u, 'roles')}>
              {t('setRoles')}
            </button>
            <button type="button" onClick={begin(u, 'password')}>
              {t('setPassword')}
            </button>
            <button type="button" onClick={begin(u, 'totp')}>
              {t('takeApp')}
            </button>
            <button type="button" onClick={begin(u, 'unlock')}>
              {t('unlock')}
            </button>
            <button type="button" onClick={begin(u, u.disabled ? 'enable' : 'disable')}>
              {t(u.disabled ? 'enable' : 'disable')}
            </button>
            <button type="button" onClick={begin(u, 'remove')}>
              {t('remove')}
            </button>
          </Menu>
        )
    }
  ]
  const end = () => (changing.value = null)
  return (
    <>
      <Kept
        of={page}
        rows={({ users }) => users}
        caption={t('users')}
        none={t('none')}
        columns={columns}
        id={(u) => u.id}
        add={
          may('users.manage')
            ? {
                name: t('add'),
                dialog: (onClose) => <AddDialog onClose={onClose} onDone={done} />
              }
            : undefined
        }
      />
      {changing.value?.act === 'roles' && (
        <RolesDialog of={changing.value.of} onClose={end} onDone={done} />
      )}
      {changing.value && changing.value.act !== 'roles' && (
        <ChangeDialog of={changing.value.of} act={changing.value.act} onClose={end} onDone={done} />
      )}
      {given.value && (
        <Notice
          title={t('secret', { name: given.value.name })}
          onClose={() => (given.value = null)}
        >
          <SecretShown
            title={t('secret', { name: given.value.name })}
            secret={given.value.password ?? ''}
          >
            <p>
              {t('until')} <Time at={atSeconds(given.value.good_until)} show="at" />
            </p>
          </SecretShown>
        </Notice>
      )}
    </>
  )
}

export function Roles() {
  const page = useLoad('roles', (signal) => get('/roles', { signal }))
  return (
    <Show of={page}>
      {({ roles, rights }) => (
        <Table
          caption={t('rights')}
          rows={rights}
          id={(r) => r.name}
          columns={[
            {
              name: t('rights'),
              class: 'what',
              show: (r) => (
                <>
                  <span class="mono">{r.name}</span>
                  <span class="quiet small block">{pick({ sv: r.text_sv, en: r.text })}</span>
                </>
              )
            },
            ...roles.map((role) => ({
              name: roleName(role.name),
              class: 'late',
              show: (r: { name: string }) => (role.rights.includes(r.name) ? '✓' : '–')
            }))
          ]}
        />
      )}
    </Show>
  )
}
