// SPDX-License-Identifier: EUPL-1.2
// What the watch looks for: rules in force, what of ATT&CK they cover, and what they are not to fire on.
import { useSignal } from '@preact/signals'
import { useLocation } from 'preact-iso/router'
import { compare, formatNumber } from '../lib/format'
import { useLoad } from '../lib/load'
import {
  aboutLangOf,
  aboutOf,
  allRules,
  fetchNoise,
  fetchPast,
  idOf,
  langOf,
  partsOf,
  type Rule,
  ruleUrl,
  sourceOf,
  techniquesOf
} from '../lib/rules'
import { isFirst, may } from '../lib/session'
import { texts, titleOf } from '../lib/text'
import { Select, TextField } from '../parts/field'
import { LEVELS, levelName, levelOf, Severity } from '../parts/marks'
import { Page } from '../parts/page'
import { Empty, Show } from '../parts/states'
import { type Column, Table } from '../parts/table'
import { Tabs } from '../parts/tabs'
import { Coverage } from './rules/coverage'
import { Exceptions } from './rules/exceptions'
import { Lists } from './rules/lists'
import { Sets } from './rules/sets'
import { Suppressions } from './rules/suppressions'

const t = texts({
  title: ['Regler', 'Rules'],
  view: ['Vy', 'View'],
  rules: ['Regler', 'Rules'],
  coverage: ['Täckning', 'Coverage'],
  exceptions: ['Undantag', 'Exceptions'],
  suppressions: ['Dämpningar', 'Suppressions'],
  indicators: ['Indikatorer', 'Indicators'],
  new: ['Ny regel', 'New rule'],
  words: ['Sök bland reglerna', 'Look among the rules'],
  level: ['Lägsta allvar', 'Lowest severity'],
  all: ['alla', 'all'],
  source: ['Logg', 'Log'],
  severity: ['Allvar', 'Severity'],
  rule: ['Regel', 'Rule'],
  attack: ['ATT&CK', 'ATT&CK'],
  changed: ['Ändrad', 'Changed'],
  counted: ['{n} av {all} regler', '{n} of {all} rules'],
  technique: ['Bara {technique}', 'Only {technique}'],
  clear: ['Rensa filter', 'Clear filters'],
  none: ['Ingen regel motsvarar filtret.', 'No rule matches the filter.'],
  part: ['del av en räknande regel', 'part of a counting rule'],
  correlation: ['räknande', 'counting'],
  more: ['Visa fler', 'Show more'],
  order: ['Ordning', 'Order'],
  'by-file': ['som de är skrivna', 'as they are written'],
  'by-noise': ['mest larm först', 'most alerts first'],
  'by-past': ['mest larm bakåt först', 'most alerts in the past first'],
  'by-changed': ['senast ändrad först', 'changed last first'],
  noise: ['Larm', 'Alerts'],
  noiseText: ['{week} på 7 dygn, {month} på 30 dygn', '{week} in 7 days, {month} in 30 days'],
  sets: ['Regelsamlingar', 'Sets of rules'],
  past: ['Bakåt', 'Past'],
  pastText: ['skulle ha larmat {n} {n|gång|gånger}', 'would have fired {n} {n|time|times}']
})

interface Filters {
  q?: string
  level?: string
  source?: string
  technique?: string
  order?: string
  list?: string
}

function useFilters() {
  const { query, route } = useLocation()
  const { view = 'rules', q = '', level = '', source = '', technique = '' } = query
  const { order = '', list = '' } = query
  const filters: Filters = { q, level, source, technique, order, list }
  const go = (change: Filters & { view?: string }) => {
    const kept = Object.entries({ view, ...filters, ...change }).filter(
      ([name, value]) => value && !(name === 'view' && value === 'rules')
    )
    route(`/rules${kept.length ? `?${new URLSearchParams(kept)}` : ''}`, true)
  }
  return { view, filters, go }
}

// Rules that count others have parts without a level of their own.
const isPart = (rule: Rule) => rule.level === '' && !rule.description

function matches(rule: Rule, { q = '', level, source, technique }: Filters): boolean {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean)
  const text = [
    rule.title,
    rule.title_sv,
    rule.description,
    rule.description_sv,
    rule.id,
    sourceOf(rule),
    ...rule.tags
  ]
    .join(' ')
    .toLowerCase()
  const least = level ? LEVELS.indexOf(levelOf(level)) : LEVELS.length
  return (
    words.every((word) => text.includes(word)) &&
    (!level || LEVELS.indexOf(levelOf(rule.level)) <= least) &&
    (!source || sourceOf(rule) === source) &&
    (!technique || techniquesOf(rule).includes(technique))
  )
}

const SHOWN = 100

// The noisiest first, by what they did or would have done, or what was changed last.
const ORDERS = ['file', 'noise', 'past', 'changed'] as const
type Order = (typeof ORDERS)[number]

function inOrder(rules: Rule[], order: Order, noise: Figures, past: Figures): Rule[] {
  const by = (of: Figures) => (a: Rule, b: Rule) => (of.get(idOf(b)) ?? 0) - (of.get(idOf(a)) ?? 0)
  const changed = (r: Rule) => r.modified ?? r.date ?? ''
  if (order === 'noise') return [...rules].sort(by(noise))
  if (order === 'past') return [...rules].sort(by(past))
  if (order === 'changed') return [...rules].sort((a, b) => (changed(a) < changed(b) ? 1 : -1))
  return rules
}
type Figures = Map<string, number>

function List({ filters, go }: Pick<ReturnType<typeof useFilters>, 'filters' | 'go'>) {
  const { route } = useLocation()
  const rules = useLoad('rules', allRules)
  const past = useLoad(isFirst() ? 'retro' : null, fetchPast)
  const noise = useLoad('noise', fetchNoise)
  const month = new Map([...(noise.value ?? [])].map(([id, n]) => [id, n.month]))
  const order = ORDERS.find((o) => o === filters.order) ?? 'file'
  const most = useSignal(SHOWN)
  const columns: Column<Rule>[] = [
    {
      name: t('severity'),
      show: (r) => (r.level ? <Severity level={r.level} /> : <span class="quiet small">–</span>)
    },
    {
      name: t('rule'),
      class: 'what',
      show: (r) => (
        <>
          <a class="strong" href={ruleUrl(idOf(r))} lang={langOf(r)}>
            {titleOf(r)}
          </a>
          {r.kind === 'correlation' && <span class="tag">{t('correlation')}</span>}
          <span class="quiet small block" lang={isPart(r) ? undefined : aboutLangOf(r)}>
            {isPart(r) ? t('part') : aboutOf(r)}
          </span>
        </>
      )
    },
    {
      name: t('source'),
      show: (r) => (
        <span class="mono small">
          {partsOf(r).map((part) => (
            <span key={part} class="source block">
              {part}
            </span>
          ))}
        </span>
      )
    },
    {
      name: t('attack'),
      show: (r) => <span class="mono small">{techniquesOf(r).join(' ') || '–'}</span>
    },
    {
      name: t('noise'),
      class: 'number late',
      show: (r) => {
        const n = noise.value?.get(idOf(r))
        return (
          noise.value && (
            <span title={t('noiseText', { week: n?.week ?? 0, month: n?.month ?? 0 })}>
              {formatNumber(n?.month ?? 0)}
            </span>
          )
        )
      }
    },
    {
      name: t('past'),
      class: 'number late',
      show: (r) => {
        const n = past.value?.get(idOf(r))
        return n === undefined ? '–' : <span title={t('pastText', { n })}>{formatNumber(n)}</span>
      }
    },
    {
      name: t('changed'),
      class: 'late',
      show: (r) => <span class="small date">{r.modified ?? r.date ?? '–'}</span>
    }
  ]
  return (
    <Show of={rules}>
      {(all) => {
        const chosen = all.filter((rule) => matches(rule, filters))
        const found = inOrder(chosen, order, month, past.value ?? new Map())
        const sources = [...new Set(all.map(sourceOf))].filter(Boolean).sort(compare)
        const option = (value: string, text: string) => ({ value, text })
        return (
          <>
            <div class="filters">
              <TextField label={t('words')} value={filters.q ?? ''} onValue={(q) => go({ q })} />
              <Select
                label={t('level')}
                value={filters.level ?? ''}
                options={[option('', t('all')), ...LEVELS.map((l) => option(l, levelName(l)))]}
                onValue={(level) => go({ level })}
              />
              <Select
                label={t('source')}
                value={filters.source ?? ''}
                options={[option('', t('all')), ...sources.map((s) => option(s, s))]}
                onValue={(source) => go({ source })}
              />
              <Select
                label={t('order')}
                value={order}
                options={ORDERS.filter((o) => o !== 'past' || isFirst()).map((o) =>
                  option(o, t(`by-${o}`))
                )}
                onValue={(value) => go({ order: value === 'file' ? '' : value })}
              />
              {filters.technique && (
                <span class="tag">{t('technique', { technique: filters.technique })}</span>
              )}
              {(filters.q || filters.level || filters.source || filters.technique) && (
                <a class="button bare" href="/rules">
                  {t('clear')}
                </a>
              )}
              <p class="quiet" role="status">
                {t('counted', { n: found.length, all: all.length })}
              </p>
            </div>
            {found.length === 0 ? (
              <Empty>{t('none')}</Empty>
            ) : (
              <Table
                caption={t('rules')}
                columns={columns}
                rows={found.slice(0, most.value)}
                id={idOf}
                onOpen={(r) => route(ruleUrl(idOf(r)))}
              />
            )}
            {found.length > most.value && (
              <div class="pager">
                <button type="button" class="button" onClick={() => (most.value += SHOWN)}>
                  {t('more')}
                </button>
              </div>
            )}
          </>
        )
      }}
    </Show>
  )
}

export default function Rules() {
  const { view, filters, go } = useFilters()
  const all = [
    { id: 'rules', name: t('rules'), show: () => <List filters={filters} go={go} />, shared: true },
    { id: 'coverage', name: t('coverage'), show: () => <Coverage /> },
    { id: 'suppressions', name: t('suppressions'), show: () => <Suppressions />, shared: true },
    { id: 'exceptions', name: t('exceptions'), show: () => <Exceptions /> },
    { id: 'sets', name: t('sets'), show: () => <Sets /> },
    {
      id: 'indicators',
      name: t('indicators'),
      show: () => <Lists list={filters.list ?? ''} />
    }
  ]
  const tabs = all.filter((tab) => tab.shared || isFirst())
  return (
    <Page
      title={t('title')}
      actions={
        may('rules.write') && (
          <a class="button" href="/rules/new">
            {t('new')}
          </a>
        )
      }
    >
      <Tabs label={t('view')} at={view} onGo={(id) => go({ view: id, list: '' })} tabs={tabs} />
    </Page>
  )
}
