// SPDX-License-Identifier: EUPL-1.2
// What was done to accounts, and who looked at the records: both are kept for good.
import { useSignal } from '@preact/signals'
import { useState } from 'preact/hooks'
import { atSeconds } from '../../lib/accounts'
import { address, get, request, type Schema } from '../../lib/api'
import { formatNumber } from '../../lib/format'
import { searchUrl } from '../../lib/links'
import { useLoad } from '../../lib/load'
import { may } from '../../lib/session'
import { texts } from '../../lib/text'
import { Select } from '../../parts/field'
import { Time } from '../../parts/marks'
import { Empty, Note, Show } from '../../parts/states'
import { Table } from '../../parts/table'
import { deedText } from './deeds'

const t = texts({
  log: ['Kontologg', 'Account log'],
  looks: ['Revisionslogg', 'Audit log'],
  when: ['När', 'When'],
  who: ['Vem', 'Who'],
  what: ['Vad', 'What'],
  about: ['Gäller', 'About'],
  from: ['Från', 'From'],
  why: ['Skäl', 'Reason'],
  detail: ['Närmare', 'Detail'],
  query: ['Sökning', 'Query'],
  purpose: ['Ändamål', 'Purpose'],
  found: ['Träffar', 'Found'],
  end: ['Slut', 'End'],
  later: ['Senare poster', 'Later entries'],
  first: ['Från början', 'From the beginning'],
  none: ['Inget under den tiden.', 'Nothing in that time.'],
  span: ['Tid', 'Time'],
  '-24h': ['senaste dygnet', 'the last 24 hours'],
  '-7d': ['senaste veckan', 'the last week'],
  '-30d': ['senaste 30 dagarna', 'the last 30 days'],
  damaged: ['{n} skadade poster', '{n} damaged entries'],
  going: ['pågår', 'going on'],
  whole: ['hel', 'whole'],
  enough: ['fick nog', 'had enough'],
  time: ['tiden slut', 'time was up'],
  ended: ['stoppad', 'stopped'],
  failed: ['avbröts', 'broke off'],
  refused: ['avvisad', 'refused'],
  interrupted: ['avbröts av den som frågade', 'interrupted']
})

const PAGE = 200
const QUERY_SHOWN = 120

function Deed({ what }: { what: string }) {
  return (
    <>
      {deedText(what)} <span class="mono small quiet block">{what}</span>
    </>
  )
}

// `roles: viewer, analyst`
const detailOf = (detail: object) =>
  Object.entries(detail)
    .map(
      ([name, is]) =>
        `${name}: ${[is]
          .flat()
          .map((x) => (typeof x === 'object' ? JSON.stringify(x) : x))
          .join(', ')}`
    )
    .join(' · ')

export function AccountLog() {
  const [after, setAfter] = useState(0)
  const page = useLoad(`log ${after}`, (signal) =>
    get('/accounts/log', { query: { after, limit: PAGE }, signal })
  )
  return (
    <Show of={page}>
      {({ log }) => (
        <div class="stack">
          {log.length === 0 ? (
            <Empty>{t('none')}</Empty>
          ) : (
            <Table
              caption={t('log')}
              rows={[...log].reverse()}
              id={(e) => e.id}
              columns={[
                { name: t('when'), show: (e) => <Time at={atSeconds(e.time)} show="at" /> },
                { name: t('who'), show: (e) => e.actor },
                { name: t('what'), show: (e) => <Deed what={e.what} /> },
                { name: t('about'), show: (e) => <span class="wrap">{e.subject || '–'}</span> },
                { name: t('from'), show: (e) => <span class="mono">{e.address || '–'}</span> },
                { name: t('why'), class: 'what', show: (e) => e.reason || '–' },
                {
                  name: t('detail'),
                  show: (e) =>
                    Object.keys(e.detail).length > 0 && (
                      <span class="mono small wrap">{detailOf(e.detail)}</span>
                    )
                }
              ]}
            />
          )}
          <div class="buttons">
            {after > 0 && (
              <button type="button" class="button" onClick={() => setAfter(0)}>
                {t('first')}
              </button>
            )}
            {log.length === PAGE && (
              <button type="button" class="button" onClick={() => setAfter(log.at(-1)?.id ?? 0)}>
                {t('later')}
              </button>
            )}
          </div>
        </div>
      )}
    </Show>
  )
}

type Line = Schema<'AuditLine'>
type Entry = NonNullable<Line['entry']>

async function fetchLooks(from: string, signal: AbortSignal) {
  const answer = await request(address('/audit', {}, { from }), { method: 'GET', signal })
  const lines = (await answer.text()).split('\n').filter(Boolean)
  const told = lines.map((line) => JSON.parse(line) as Line)
  const entries = told.flatMap(({ entry }) => entry ?? []).reverse()
  const damaged = told.map(({ end }) =>
    Number((end as { damaged?: number } | undefined)?.damaged ?? 0)
  )
  return { entries, damaged: damaged.at(-1) ?? 0 }
}

const ENDS = ['whole', 'enough', 'time', 'ended', 'failed', 'refused', 'interrupted'] as const

function endOf(end: string | null): string {
  const known = ENDS.find((how) => how === end)
  return known ? t(known) : (end ?? t('going'))
}

const SPANS = ['-24h', '-7d', '-30d'] as const

export function Looks() {
  const from = useSignal<string>('-24h')
  const page = useLoad(`looks ${from.value}`, (signal) => fetchLooks(from.value, signal))
  return (
    <>
      <div class="filters">
        <Select
          label={t('span')}
          value={from.value}
          options={SPANS.map((value) => ({ value, text: t(value) }))}
          onValue={(value) => (from.value = value)}
        />
      </div>
      <Show of={page}>
        {({ entries, damaged }) => (
          <>
            {damaged > 0 && <Note kind="bad">{t('damaged', { n: damaged })}</Note>}
            {entries.length === 0 ? (
              <Empty>{t('none')}</Empty>
            ) : (
              <Table
                caption={t('looks')}
                rows={entries}
                id={(e) => e.id}
                columns={[
                  { name: t('when'), show: (e) => <Time at={e.time} show="at" /> },
                  { name: t('who'), show: (e) => e.user },
                  { name: t('what'), show: (e) => <Deed what={e.what} /> },
                  {
                    name: t('query'),
                    class: 'what',
                    show: (e) => (e.query ? <Query entry={e} /> : '–')
                  },
                  { name: t('purpose'), class: 'what', show: (e) => e.purpose || '–' },
                  {
                    name: t('found'),
                    class: 'number',
                    show: (e) => (typeof e.found === 'number' ? formatNumber(e.found) : '–')
                  },
                  { name: t('end'), class: 'late', show: (e) => endOf(e.end) }
                ]}
              />
            )}
          </>
        )}
      </Show>
    </>
  )
}

function Query({ entry }: { entry: Entry }) {
  const query = entry.query ?? ''
  const shown = query.length > QUERY_SHOWN ? `${query.slice(0, QUERY_SHOWN)} …` : query
  const text = <span class="mono small wrap">{shown}</span>
  if (entry.what !== 'search' || !may('search')) return text
  return <a href={searchUrl(query)}>{text}</a>
}
