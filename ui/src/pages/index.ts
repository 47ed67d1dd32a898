// SPDX-License-Identifier: EUPL-1.2
// Every page, once: where it is, how it is called in the navigation, and the right it needs.
// A page is a file of this folder with a default export, fetched when somebody goes there.

import type { ComponentType } from 'preact'
import { lazy } from 'preact-iso'
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

export interface PageEntry {
  path: string
  page: ComponentType
  right?: Right // without it the page is not shown
  name?: () => string // in the navigation
}

export const pages: PageEntry[] = [
  { path: '/', page: lazy(() => import('./now')), name: () => t('now') },
  {
    path: '/queue',
    page: lazy(() => import('./queue')),
    name: () => t('queue'),
    right: 'incidents.read'
  },
  { path: '/incidents/:id', page: lazy(() => import('./incident')), right: 'incidents.read' },
  {
    path: '/search',
    page: lazy(() => import('./search')),
    name: () => t('search'),
    right: 'search'
  },
  {
    path: '/oncall',
    page: lazy(() => import('./oncall')),
    name: () => t('oncall'),
    right: 'oncall.read'
  },
  {
    path: '/rules',
    page: lazy(() => import('./rules')),
    name: () => t('rules'),
    right: 'rules.read'
  },
  { path: '/rules/new', page: lazy(() => import('./rule_edit')), right: 'rules.write' },
  { path: '/rules/:id', page: lazy(() => import('./rule')), right: 'rules.read' },
  {
    path: '/sources',
    page: lazy(() => import('./sources')),
    name: () => t('sources'),
    right: 'status.read'
  },
  {
    path: '/health',
    page: lazy(() => import('./health')),
    name: () => t('health'),
    right: 'status.read'
  },
  {
    path: '/assets',
    page: lazy(() => import('./assets')),
    name: () => t('assets'),
    right: 'assets.read'
  },
  {
    path: '/admin',
    page: lazy(() => import('./admin')),
    name: () => t('admin'),
    right: 'config.read'
  },
  { path: '/me', page: lazy(() => import('./me')) },
  { path: '/wall', page: lazy(() => import('./wall')) },
  { path: '/welcome', page: lazy(() => import('./welcome')) }
]
