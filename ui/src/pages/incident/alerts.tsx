// SPDX-License-Identifier: EUPL-1.2
// The alerts of an incident as a table: open one beside the others, or make some an incident of their
// own.
import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { type Incident, ruleTitle } from '../../lib/acts'
import { get, type Schema } from '../../lib/api'
import { formatNumber } from '../../lib/format'
import { useLoad, usePages } from '../../lib/load'
import { may } from '../../lib/session'
import { texts } from '../../lib/text'
import { TextDialog } from '../../parts/acts'
import { Severity, Time } from '../../parts/marks'
import { Show } from '../../parts/states'
import { type Column, Pager, Table } from '../../parts/table'
import { Value } from '../../parts/value'
import { FoundDetail } from './found'

const t = texts({
  alerts: ['Larm', 'Alerts'],
  severity: ['Allvar', 'Severity'],
  rule: ['Regel', 'Rule'],
  host: ['Dator', 'Computer'],
  times: ['Antal', 'Count'],
  time: ['Hörd', 'Heard'],
  select: ['Välj', 'Select'],
  selectOne: ['Välj larm {n}', 'Select alert {n}'],
  open: ['Visa larm {n}', 'Show alert {n}'],
  split: [
    'Gör {n} {n|larm|larm} till en egen incident …',
    'Make {n} {n|alert|alerts} an incident …'
  ],
  splitTitle: ['Egen incident', 'Incident of its own'],
  splitDo: ['Dela', 'Split'],
  why: ['Skäl', 'Reason'],
  done: ['Delad. Kan ångras i tidslinjen.', 'Split. Can be undone in the timeline.'],
  one: ['Larm {n}', 'Alert {n}']
})

type Alert = Schema<'IncidentAlert'>

// Behind the list, which may be long: where one has gone is where one reads on.
function Opened({ of }: { of: Alert }) {
  const head = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    head.current?.focus({ preventScroll: true })
    head.current?.scrollIntoView({ block: 'start' })
  }, [])
  return (
    <section class="panel" aria-labelledby="opened">
      <h2 id="opened" tabIndex={-1} ref={head}>
        {t('one', { n: of.id })}
      </h2>
      <FoundDetail alert={of.id} found={of.alert} />
    </section>
  )
}

export function Alerts({ incident, reload }: { incident: Incident; reload: () => void }) {
  const id = String(incident.id)
  const place = usePages(id)
  const chosen = useSignal<ReadonlySet<number>>(new Set())
  const opened = useSignal<Alert | null>(null)
  const splitting = useSignal(false)
  const query = { limit: 50, ...(place.cursor && { cursor: place.cursor }) }
  const page = useLoad(`alerts ${id} ${incident.changed} ${place.cursor}`, (signal) =>
    get('/incidents/{incident}/alerts', { path: { incident: id }, query, signal })
  )
  const toggle = (alert: number) => {
    const set = new Set(chosen.value)
    if (!set.delete(alert)) set.add(alert)
    chosen.value = set
  }
  const write = may('incidents.write') && incident.state !== 'closed'
  const box: Column<Alert> = {
    name: '',
    unseen: t('select'),
    class: 'box',
    show: (a) => (
      <input
        type="checkbox"
        aria-label={t('selectOne', { n: a.id })}
        checked={chosen.value.has(a.id)}
        onChange={() => toggle(a.id)}
      />
    )
  }
  const columns: Column<Alert>[] = [
    ...(write ? [box] : []),
    { name: t('severity'), show: (a) => <Severity level={a.alert.rule.level} /> },
    {
      name: t('rule'),
      class: 'what',
      show: (a) => (
        <button
          type="button"
          class="link"
          aria-expanded={opened.value?.id === a.id}
          aria-label={`${t('open', { n: a.id })}: ${ruleTitle(incident, a.alert.rule)}`}
          onClick={() => (opened.value = opened.value?.id === a.id ? null : a)}
        >
          {ruleTitle(incident, a.alert.rule)}
        </button>
      )
    },
    {
      name: t('host'),
      class: 'name',
      show: (a) => a.alert.host && <Value field="host.name" value={a.alert.host} entity short />
    },
    { name: t('times'), class: 'number late', show: (a) => formatNumber(a.count) },
    { name: t('time'), class: 'late', show: (a) => <Time at={a.last_seen} show="at" /> }
  ]
  return (
    <>
      {chosen.value.size > 0 && (
        <div class="bulk buttons">
          <button type="button" class="button" onClick={() => (splitting.value = true)}>
            {t('split', { n: chosen.value.size })}
          </button>
        </div>
      )}
      <Show of={page}>
        {({ alerts, next }) => (
          <>
            <Table
              caption={t('alerts')}
              columns={columns}
              rows={alerts}
              id={(a) => a.id}
              here={alerts.findIndex((a) => a.id === opened.value?.id)}
              onOpen={(a) => (opened.value = a)}
            />
            <Pager {...place} next={next} />
          </>
        )}
      </Show>
      {opened.value && <Opened key={opened.value.id} of={opened.value} />}
      {splitting.value && (
        <TextDialog
          of={[incident]}
          name="split"
          member="why"
          body={{ alerts: [...chosen.value] }}
          title={t('splitTitle')}
          label={t('why')}
          action={t('splitDo')}
          done={t('done')}
          onClose={() => (splitting.value = false)}
          onDone={() => {
            chosen.value = new Set()
            reload()
          }}
        />
      )}
    </>
  )
}
