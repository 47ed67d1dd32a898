// SPDX-License-Identifier: EUPL-1.2
// Who may do what, who did what, and what Vaka is told by its settings.
import { useLocation } from 'preact-iso/router'
import { isFirst, may } from '../lib/session'
import { texts } from '../lib/text'
import { Page } from '../parts/page'
import { Tabs } from '../parts/tabs'
import { AccountLog, Looks } from './admin/log'
import { Settings } from './admin/settings'
import { Roles, Users } from './admin/users'
import { AllSessions, AllTokens } from './admin/ways_in'

const t = texts({
  title: ['Administration', 'Administration'],
  view: ['Vy', 'View'],
  users: ['Konton', 'Accounts'],
  roles: ['Roller', 'Roles'],
  tokens: ['API-nycklar', 'API tokens'],
  sessions: ['Inloggade', 'Logged in'],
  log: ['Kontologg', 'Account log'],
  looks: ['Revisionslogg', 'Audit log'],
  settings: ['Inställningar', 'Settings']
})

export default function Admin() {
  const { query, route } = useLocation()
  const all = [
    { id: 'users', right: 'users.read', show: () => <Users /> },
    { id: 'roles', right: 'users.read', show: () => <Roles /> },
    { id: 'tokens', right: 'users.read', show: () => <AllTokens /> },
    { id: 'sessions', right: 'users.read', show: () => <AllSessions /> },
    { id: 'log', right: 'users.read', show: () => <AccountLog /> },
    { id: 'looks', right: 'audit.read', show: () => <Looks /> },
    { id: 'settings', right: 'config.read', show: () => <Settings /> }
  ] as const
  const tabs = all
    .filter((tab) => may(tab.right) && (isFirst() || tab.id !== 'settings'))
    .map((tab) => ({ ...tab, name: t(tab.id) }))
  return (
    <Page title={t('title')}>
      <Tabs
        label={t('view')}
        at={query.view ?? 'users'}
        onGo={(id) => route(`/admin?view=${id}`, true)}
        tabs={tabs}
      />
    </Page>
  )
}
