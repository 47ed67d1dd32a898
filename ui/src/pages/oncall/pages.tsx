// SPDX-License-Identifier: EUPL-1.2
// Pages that wait for an answer, or all of them: taken or sent on from here, each with whom it told.
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { get, post } from '../../lib/api'
import { incidentUrl } from '../../lib/links'
import { listen } from '../../lib/live'
import { useLoad, usePages } from '../../lib/load'
import { may } from '../../lib/session'
import { texts } from '../../lib/text'
import { toast, toastProblem } from '../../lib/toasts'
import { Select } from '../../parts/field'
import { Severity, Time } from '../../parts/marks'
import {
  byPerson,
  EscalateDialog,
  escalateName,
  isOpen,
  type Listed,
  Person,
  pageState
} from '../../parts/paging'
import { Empty, Show } from '../../parts/states'
import { type Column, Pager, Table } from '../../parts/table'

const t = texts({
  pages: ['Larmningar', 'Pages'],
  which: ['Vilka', 'Which'],
  open: ['som ingen har tagit', 'that nobody has taken'],
  any: ['alla', 'all'],
  none: ['Ingen larmning väntar på svar.', 'No page waits for an answer.'],
  noneEver: ['Ingen har larmats än.', 'Nobody was paged yet.'],
  page: ['Larmning', 'Page'],
  show: ['Visa larmning {n}', 'Show page {n}'],
  level: ['Allvar', 'Severity'],
  state: ['Läge', 'State'],
  begun: ['Började', 'Began'],
  by: ['Av', 'By'],
  incidents: ['Incidenter', 'Incidents'],
  test: ['prov', 'test'],
  exercise: ['övning', 'exercise'],
  ack: ['Kvittera', 'Acknowledge'],
  ackOne: ['Kvittera larmning {n}', 'Acknowledge page {n}'],
  escalateOne: ['Eskalera larmning {n}', 'Escalate page {n}'],
  acked: ['Kvitterad: ingen annan larmas', 'Acknowledged: nobody else is told'],
  act: ['Gör', 'Do'],
  told: ['Vem larmning {n} gick till', 'Whom page {n} told']
})

const ASK_EVERY = 3000 // ms

// Whom one of them told, step by step, and how far that is.
function Told({ page }: { page: Listed }) {
  const whole = useLoad(`page ${page.id} ${page.state}`, (signal) =>
    get('/pages/{page}', { path: { page: String(page.id) }, signal })
  )
  const { reload } = whole
  const waits = isOpen(page)
  useEffect(() => {
    const timer = waits ? setInterval(reload, ASK_EVERY) : undefined
    return () => clearInterval(timer)
  }, [waits, reload])
  return (
    <section class="panel" aria-labelledby="told">
      <h2 id="told">{t('told', { n: page.id })}</h2>
      <Show of={whole}>
        {({ told }) => (
          <ul class="plain-list">
            {byPerson(told).map((p) => (
              <Person key={p.person} told={p} tries />
            ))}
          </ul>
        )}
      </Show>
    </section>
  )
}

function Marks({ page: p }: { page: Listed }) {
  return (
    <>
      <span class={p.state === 'loud' ? 'loud' : ''}>{pageState(p.state)}</span>{' '}
      {p.test && <span class="tag">{t('test')}</span>}
      {p.exercise && <span class="tag">{t('exercise')}</span>}
    </>
  )
}

export function PagesView() {
  const which = useSignal('open')
  const opened = useSignal<Listed | null>(null)
  const escalating = useSignal(0)
  const place = usePages(which.value)
  const list = useLoad(`pages ${which.value} ${place.cursor}`, (signal) =>
    get('/pages', {
      query: {
        limit: 50,
        ...(which.value === 'any' && { state: 'any' as const }),
        ...(place.cursor && { cursor: place.cursor })
      },
      signal
    })
  )
  const { reload } = list
  useEffect(() => listen(({ kind }) => kind !== 'alert' && reload()), [reload])
  const ack = async (page: Listed) => {
    await post('/pages/{page}/ack', { path: { page: String(page.id) } }).then(
      () => toast(t('acked')),
      toastProblem
    )
    reload()
  }
  const columns: Column<Listed>[] = [
    {
      name: t('page'),
      show: (p) => (
        <button
          type="button"
          class="link"
          aria-label={t('show', { n: p.id })}
          aria-expanded={opened.value?.id === p.id}
          onClick={() => (opened.value = opened.value?.id === p.id ? null : p)}
        >
          {p.id}
        </button>
      )
    },
    { name: t('level'), show: (p) => <Severity level={p.level} /> },
    { name: t('state'), class: 'what', show: (p) => <Marks page={p} /> },
    {
      name: t('incidents'),
      class: 'late',
      show: (p) =>
        p.incidents.map((id) => (
          <a key={id} class="apart" href={incidentUrl(id)}>
            #{id}
          </a>
        ))
    },
    { name: t('begun'), class: 'late', show: (p) => <Time at={p.begun} /> },
    { name: t('by'), class: 'late', show: (p) => p.ended_by ?? '–' },
    {
      name: '',
      class: 'late',
      unseen: t('act'),
      show: (p) =>
        isOpen(p) &&
        may('incidents.write') && (
          <div class="buttons">
            <button
              type="button"
              class="button first"
              aria-label={t('ackOne', { n: p.id })}
              onClick={() => ack(p)}
            >
              {t('ack')}
            </button>
            <button
              type="button"
              class="button"
              aria-label={t('escalateOne', { n: p.id })}
              onClick={() => (escalating.value = p.id)}
            >
              {escalateName()} …
            </button>
          </div>
        )
    }
  ]
  return (
    <div class="stack">
      <div class="filters">
        <Select
          label={t('which')}
          value={which.value}
          options={[
            { value: 'open', text: t('open') },
            { value: 'any', text: t('any') }
          ]}
          onValue={(v) => (which.value = v)}
        />
      </div>
      <Show of={list}>
        {({ pages, next }) => (
          <>
            {pages.length === 0 ? (
              <Empty>{t(which.value === 'open' ? 'none' : 'noneEver')}</Empty>
            ) : (
              <Table
                caption={t('pages')}
                columns={columns}
                rows={pages}
                id={(p) => p.id}
                here={pages.findIndex((p) => p.id === opened.value?.id)}
                onOpen={(p) => (opened.value = p)}
              />
            )}
            <Pager {...place} next={next} />
          </>
        )}
      </Show>
      {opened.value && <Told page={opened.value} />}
      {escalating.value > 0 && (
        <EscalateDialog
          page={escalating.value}
          onClose={() => (escalating.value = 0)}
          onDone={reload}
        />
      )}
    </div>
  )
}
