// SPDX-License-Identifier: EUPL-1.2
// Every page, once: where it is, how it is called in the navigation, and the right it needs.
// A page is a file of this folder with a default export, fetched when somebody goes there.

import type { ComponentType } from 'preact'
import { later } from '../lib/later'
import type { Right } from '../lib/session'
import { texts } from '../lib/text'

const t = texts({
  now: ['Nu', 'Now'],
  queue: ['Kö', 'Queue'],
  search: ['Sök', 'Search'],
  oncall: ['Beredskap', 'On call'],
  rules: ['Regler', 'Rules'],
  sources: ['Källor', 'Sources'],
  health: ['Drift', 'Health'],
  assets: ['Tillgångar', 'Assets'],
  admin: ['Administration', 'Administration']
})

const office = () => import('./areas/office')
const rules = () => import('./areas/rules')
const RuleEdit = later(() => import('./rules/editor'))

export interface PageEntry {
  path: string
  page: ComponentType
  right?: Right // without it the page is not shown
  name?: () => string // in the navigation
}

export const pages: PageEntry[] = [
  { path: '/', page: later(() => import('./now')), name: () => t('now') },
  {
    path: '/queue',
    page: later(() => import('./queue')),
    name: () => t('queue'),
    right: 'incidents.read'
  },
  { path: '/incidents/:id', page: later(() => import('./incident')), right: 'incidents.read' },
  {
    path: '/search',
    page: later(() => import('./search')),
    name: () => t('search'),
    right: 'search'
  },
  {
    path: '/oncall',
    page: later(() => office().then((m) => m.Oncall)),
    name: () => t('oncall'),
    right: 'oncall.read'
  },
  {
    path: '/rules',
    page: later(() => rules().then((m) => m.Rules)),
    name: () => t('rules'),
    right: 'rules.read'
  },
  { path: '/rules/new', page: RuleEdit, right: 'rules.write' },
  { path: '/rules/:id/edit', page: RuleEdit, right: 'rules.write' },
  { path: '/rules/:id', page: later(() => rules().then((m) => m.Rule)), right: 'rules.read' },
  {
    path: '/sources',
    page: later(() => office().then((m) => m.Sources)),
    name: () => t('sources'),
    right: 'status.read'
  },
  {
    path: '/health',
    page: later(() => office().then((m) => m.Health)),
    name: () => t('health'),
    right: 'status.read'
  },
  {
    path: '/inventory',
    page: later(() => office().then((m) => m.Assets)),
    name: () => t('assets'),
    right: 'assets.read'
  },
  {
    path: '/admin',
    page: later(() => office().then((m) => m.Admin)),
    name: () => t('admin'),
    right: 'config.read'
  },
  { path: '/me', page: later(() => office().then((m) => m.Me)) },
  { path: '/wall', page: later(() => import('./wall')) },
  { path: '/welcome', page: later(() => import('./welcome')) }
]
