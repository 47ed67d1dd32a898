// SPDX-License-Identifier: EUPL-1.2
// Incidents and alerts that wait for somebody: by what matters most, filtered by the address, worked
// on by keyboard, several at once with one note.
import { useComputed, useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { useLocation } from 'preact-iso/router'
import { act, type Incident, plainOf } from '../lib/acts'
import { get, type Query, type Schema } from '../lib/api'
import { formatNumber } from '../lib/format'
import { useKeys } from '../lib/keys'
import { incidentUrl, queueUrl } from '../lib/links'
import { listen } from '../lib/live'
import { useLoad, usePages } from '../lib/load'
import { may, me } from '../lib/session'
import { texts, titleOf } from '../lib/text'
import { toast, toastProblem } from '../lib/toasts'
import { About } from '../parts/about'
import { CloseDialog } from '../parts/acts'
import { Select, TextField } from '../parts/field'
import { LEVELS, levelName, Severity, StateTag, Time } from '../parts/marks'
import { Page } from '../parts/page'
import { Empty, Show } from '../parts/states'
import { type Column, Pager, Table } from '../parts/table'
import { Tabs } from '../parts/tabs'
import { Value } from '../parts/value'

const t = texts({
  title: ['Kö', 'Queue'],
  view: ['Vy', 'View'],
  incidents: ['Incidenter', 'Incidents'],
  alerts: ['Larm', 'Alerts'],
  state: ['Läge', 'State'],
  open: ['öppna', 'open'],
  closed: ['stängda', 'closed'],
  any: ['alla', 'all'],
  level: ['Lägsta allvar', 'Lowest severity'],
  whatever: ['alla', 'all'],
  whose: ['Tilldelad', 'Assigned to'],
  anybody: ['vem som helst', 'anybody'],
  mine: ['mig', 'me'],
  entity: ['Nämner (användare, dator, adress …)', 'Mentions (user, computer, address …)'],
  filter: ['Filtrera', 'Filter'],
  clear: ['Rensa filter', 'Clear filters'],
  severity: ['Allvar', 'Severity'],
  what: ['Vad', 'What'],
  count: ['Larm', 'Alerts'],
  last: ['Senast', 'Last'],
  owner: ['Tilldelad', 'Assigned'],
  rule: ['Regel', 'Rule'],
  host: ['Dator', 'Computer'],
  entityColumn: ['Gäller', 'About'],
  times: ['Antal', 'Count'],
  select: ['Välj', 'Select'],
  selectOne: ['Välj incident {n}', 'Select incident {n}'],
  selected: ['{n} {n|vald|valda}', '{n} selected'],
  ack: ['Kvittera', 'Acknowledge'],
  take: ['Ta över', 'Take over'],
  close: ['Stäng …', 'Close …'],
  none: ['Avmarkera', 'Deselect'],
  acked: ['{n} {n|kvitterad|kvitterade}', '{n} acknowledged'],
  taken: ['{n} {n|tilldelad|tilldelade} dig', '{n} assigned to you'],
  nothing: ['Kön är tom.', 'The queue is empty.'],
  nothingFound: ['Inget motsvarar filtret.', 'Nothing matches the filter.'],
  fresh: ['{n} {n|ny|nya} – visa', '{n} new – show'],
  down: ['Nästa rad', 'Next row'],
  up: ['Föregående rad', 'Previous row'],
  openRow: ['Öppna', 'Open'],
  mark: ['Välj raden', 'Select the row']
})

interface Filters {
  state?: string
  level?: string
  assignee?: string
  entity?: string
}

// What is chosen stands in the address, so that it can be shared and gone back to.
function useFilters() {
  const { query, route } = useLocation()
  const { view, state, level, assignee, entity } = query
  const filters: Filters = {
    ...(state && { state }),
    ...(level && { level }),
    ...(assignee && { assignee }),
    ...(entity && { entity })
  }
  const go = (change: Record<string, string | undefined>) =>
    route(queueUrl({ view, ...filters, ...change }), true)
  return { view: view ?? 'incidents', filters, go }
}

function FilterBar({ filters, go }: Pick<ReturnType<typeof useFilters>, 'filters' | 'go'>) {
  const entity = useSignal(filters.entity ?? '')
  const option = (value: string, text: string) => ({ value, text })
  return (
    <form
      class="filters"
      onSubmit={(event) => {
        event.preventDefault()
        go({ entity: entity.value.trim() })
      }}
    >
      <Select
        label={t('state')}
        value={filters.state ?? 'open'}
        options={[
          option('open', t('open')),
          option('closed', t('closed')),
          option('any', t('any'))
        ]}
        onValue={(state) => go({ state: state === 'open' ? undefined : state })}
      />
      <LevelFilter level={filters.level} go={go} />
      <Select
        label={t('whose')}
        value={filters.assignee ?? ''}
        options={[option('', t('anybody')), option(me.value, t('mine'))]}
        onValue={(assignee) => go({ assignee })}
      />
      <TextField label={t('entity')} value={entity.value} onValue={(v) => (entity.value = v)} />
      <button type="submit" class="button">
        {t('filter')}
      </button>
      {Object.keys(filters).length > 0 && (
        <a class="button bare" href={queueUrl()}>
          {t('clear')}
        </a>
      )}
    </form>
  )
}

interface LevelProps {
  level: string | undefined
  go: (change: Record<string, string | undefined>) => void
}
const LevelFilter = ({ level, go }: LevelProps) => (
  <Select
    label={t('level')}
    value={level ?? ''}
    options={[
      { value: '', text: t('whatever') },
      ...LEVELS.map((l) => ({ value: l, text: levelName(l) }))
    ]}
    onValue={(l) => go({ level: l })}
  />
)

// Changes of what is shown are shown where it stands; what is new waits until it is asked for, so that
// no row moves away under a hand.
function useNews(
  shown: Incident[] | undefined,
  change: (incident: Incident) => void,
  fetchAgain: () => Promise<{ incidents: Incident[] }>
) {
  const fresh = useSignal<ReadonlySet<number>>(new Set())
  useEffect(() => {
    const hear = (incident: Incident) => {
      if (shown?.some((i) => i.id === incident.id)) change(incident)
      else if (incident.state === 'new') fresh.value = new Set([...fresh.value, incident.id])
    }
    return listen((what) => {
      if (what.kind === 'incident') hear(what.data)
      if (what.kind === 'begun' && shown)
        fetchAgain().then(({ incidents }) => incidents.forEach(hear), toastProblem)
    })
  }, [shown, change, fresh])
  // What came while the list was fetched may be in it.
  return { fresh, count: [...fresh.value].filter((id) => !shown?.some((i) => i.id === id)).length }
}

function What({ incident: i }: { incident: Incident }) {
  const [head, rest] = plainOf(i)
  return (
    <>
      <a class="strong" href={incidentUrl(i.id)}>
        {head}
      </a>
      <div class="quiet small">
        #{i.id} {rest}
      </div>
    </>
  )
}

function Incidents({ filters, go }: Pick<ReturnType<typeof useFilters>, 'filters' | 'go'>) {
  const { route } = useLocation()
  const key = JSON.stringify(filters)
  const place = usePages(key)
  const query = { ...filters, limit: 50, cursor: place.cursor } as Query<'/incidents'>
  const fetchPage = (signal?: AbortSignal) => get('/incidents', { query, signal })
  const page = useLoad(`${key} ${place.cursor}`, fetchPage)
  const rows = page.value?.incidents
  const here = useSignal(-1)
  const chosen = useSignal<ReadonlySet<number>>(new Set())
  const closing = useSignal<Incident[]>([])
  const selected = useComputed(() => chosen.value.size)
  const put = (incident: Incident) =>
    page.set(
      (p) => p && { ...p, incidents: p.incidents.map((i) => (i.id === incident.id ? incident : i)) }
    )
  const { fresh, count } = useNews(rows, put, fetchPage)
  const reload = () => {
    fresh.value = new Set()
    chosen.value = new Set()
    page.reload()
  }
  const toggle = (id: number) => {
    const set = new Set(chosen.value)
    if (!set.delete(id)) set.add(id)
    chosen.value = set
  }
  // Those that are chosen; else the one where the keyboard is.
  const meant = () => {
    const current = rows?.[here.value]
    const of = rows?.filter((i) => chosen.value.has(i.id)) ?? []
    return of.length > 0 ? of : current ? [current] : []
  }
  const each = async (name: 'ack' | 'assign', body: object, say: 'acked' | 'taken') => {
    const of = meant()
    try {
      for (const incident of of) await act(incident, name, body)
      toast(t(say, { n: of.length }))
    } catch (problem) {
      toastProblem(problem)
    }
    reload()
  }
  const ack = () => each('ack', {}, 'acked')
  const step = (by: number) => {
    const last = (rows?.length ?? 0) - 1
    here.value = Math.max(0, Math.min(last, here.value + by))
  }
  const write = may('incidents.write')
  useKeys([
    { key: 'j', text: t('down'), run: () => step(1) },
    { key: 'k', text: t('up'), run: () => step(-1) },
    {
      key: 'Enter',
      text: t('openRow'),
      run: () => {
        const row = rows?.[here.value]
        if (row) route(incidentUrl(row.id))
      }
    },
    ...(write
      ? [
          {
            key: 'x',
            text: t('mark'),
            run: () => {
              const row = rows?.[here.value]
              if (row) toggle(row.id)
            }
          },
          { key: 'a', text: t('ack'), run: ack },
          { key: 'c', text: t('close'), run: () => (closing.value = meant()) }
        ]
      : [])
  ])
  const box: Column<Incident> = {
    name: '',
    unseen: t('select'),
    class: 'box',
    show: (i) => (
      <input
        type="checkbox"
        aria-label={t('selectOne', { n: i.id })}
        checked={chosen.value.has(i.id)}
        onChange={() => toggle(i.id)}
      />
    )
  }
  const columns: Column<Incident>[] = [
    ...(write ? [box] : []),
    { name: t('severity'), show: (i) => <Severity level={i.level} /> },
    { name: t('what'), class: 'what', show: (i) => <What incident={i} /> },
    { name: t('state'), show: (i) => <StateTag state={i.state} /> },
    { name: t('count'), class: 'number late', show: (i) => formatNumber(i.alerts) },
    { name: t('last'), class: 'late', show: (i) => <Time at={i.last_activity} /> },
    { name: t('owner'), class: 'late', show: (i) => i.assignee ?? '–' }
  ]
  return (
    <>
      <FilterBar filters={filters} go={go} />
      <p class="news" role="status">
        {count > 0 && (
          <button type="button" class="button" onClick={reload}>
            {t('fresh', { n: count })}
          </button>
        )}
      </p>
      {selected.value > 0 && (
        <div class="bulk buttons" role="toolbar" aria-label={t('selected', { n: selected.value })}>
          <span>{t('selected', { n: selected.value })}</span>
          <button type="button" class="button first" onClick={ack}>
            {t('ack')}
          </button>
          <button
            type="button"
            class="button"
            onClick={() => each('assign', { to: me.value }, 'taken')}
          >
            {t('take')}
          </button>
          <button type="button" class="button" onClick={() => (closing.value = meant())}>
            {t('close')}
          </button>
          <button type="button" class="button bare" onClick={() => (chosen.value = new Set())}>
            {t('none')}
          </button>
        </div>
      )}
      <Show of={page}>
        {({ incidents, next }) => (
          <>
            {incidents.length === 0 ? (
              <Empty>{t(key === '{}' ? 'nothing' : 'nothingFound')}</Empty>
            ) : (
              <Table
                caption={t('incidents')}
                columns={columns}
                rows={incidents}
                id={(i) => i.id}
                here={here.value}
                onOpen={(i) => route(incidentUrl(i.id))}
              />
            )}
            <Pager {...place} next={next} />
          </>
        )}
      </Show>
      {closing.value.length > 0 && (
        <CloseDialog of={closing.value} onClose={() => (closing.value = [])} onDone={reload} />
      )}
    </>
  )
}

type AlertLine = Schema<'AlertLine'>

function Alerts({ filters, go }: Pick<ReturnType<typeof useFilters>, 'filters' | 'go'>) {
  const { query } = useLocation()
  const level = filters.level as Query<'/alerts'>['level']
  const rule = query.rule
  const key = `alerts ${level} ${rule}`
  const place = usePages(key)
  const asked = { level, rule, limit: 50, cursor: place.cursor } as Query<'/alerts'>
  const page = useLoad(`${key} ${place.cursor}`, (signal) =>
    get('/alerts', { query: asked, signal })
  )
  const columns: Column<AlertLine>[] = [
    { name: t('severity'), show: (a) => <Severity level={a.level} /> },
    {
      name: t('rule'),
      class: 'what',
      show: (a) => <a href={queueUrl({ view: 'alerts', rule: a.rule })}>{titleOf(a)}</a>
    },
    {
      name: t('host'),
      class: 'name late',
      show: (a) => (a.host ? <Value field="host.name" value={a.host} entity short /> : '–')
    },
    {
      name: t('entityColumn'),
      class: 'name late',
      show: (a) => <About of={a.entity} host={a.host} />
    },
    { name: t('times'), class: 'number late', show: (a) => formatNumber(a.count) },
    { name: t('last'), class: 'late', show: (a) => <Time at={a.last_received} /> }
  ]
  return (
    <>
      <div class="filters">
        <LevelFilter level={level} go={go} />
        {(level || rule) && (
          <a class="button bare" href={queueUrl({ view: 'alerts' })}>
            {t('clear')}
          </a>
        )}
      </div>
      <Show of={page}>
        {({ alerts, next }) => (
          <>
            {alerts.length === 0 ? (
              <Empty>{t('nothingFound')}</Empty>
            ) : (
              <Table caption={t('alerts')} columns={columns} rows={alerts} id={(a) => a.id} />
            )}
            <Pager {...place} next={next} />
          </>
        )}
      </Show>
    </>
  )
}

export default function Queue() {
  const { view, filters, go } = useFilters()
  return (
    <Page title={t('title')}>
      <Tabs
        label={t('view')}
        at={view}
        onGo={(id) => go({ view: id === 'incidents' ? undefined : id })}
        tabs={[
          {
            id: 'incidents',
            name: t('incidents'),
            show: () => <Incidents key={filters.entity} filters={filters} go={go} />
          },
          { id: 'alerts', name: t('alerts'), show: () => <Alerts filters={filters} go={go} /> }
        ]}
      />
    </Page>
  )
}
