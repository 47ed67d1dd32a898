// SPDX-License-Identifier: EUPL-1.2
// Asking the records. What is asked stands in the address (q, from, to), so that it can be shared;
// what is found comes as it is found.
import { useSignal } from '@preact/signals'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import { useLocation } from 'preact-iso/router'
import { Problem } from '../lib/api'
import { type Finding, useFind } from '../lib/find'
import { formatNumber, formatPercent, formatTime } from '../lib/format'
import { useKeys } from '../lib/keys'
import { joinParts, partsOf, splitQuery } from '../lib/kql'
import { searchUrl } from '../lib/links'
import { ANY, askedRange, RANGES, type Range, USUAL } from '../lib/range'
import { may } from '../lib/session'
import { sayWrong, texts } from '../lib/text'
import { toast, toastProblem } from '../lib/toasts'
import { AskDialog } from '../parts/dialog'
import { Select, TextField } from '../parts/field'
import { Menu } from '../parts/menu'
import { Page } from '../parts/page'
import { Empty, Note } from '../parts/states'
import { ValueContext } from '../parts/value'
import { QueryBar, QueryWrong } from './search/bar'
import { USUAL_FIELDS } from './search/complete'
import { exportAs } from './search/export'
import { FieldList, fieldsOf } from './search/fields'
import { Histogram } from './search/histogram'
import { Answer, Events } from './search/rows'
import { Saved } from './search/saved'

const t = texts({
  title: ['Sök', 'Search'],
  focus: ['Till sökfältet', 'To the query'],
  when: ['Mottagna', 'Received'],
  '-15m': ['senaste 15 minuterna', 'last 15 minutes'],
  '-1h': ['senaste timmen', 'last hour'],
  '-24h': ['senaste dygnet', 'last 24 hours'],
  '-7d': ['senaste veckan', 'last week'],
  '-30d': ['senaste 30 dagarna', 'last 30 days'],
  any: ['när som helst', 'at any time'],
  between: ['{from} – {to}', '{from} – {to}'],
  now: ['nu', 'now'],
  own: ['från … till …', 'from … to …'],
  times: ['Från när till när', 'From when to when'],
  from: ['Från', 'From'],
  to: ['Till', 'To'],
  timeHint: ['2026-12-23 21:47, 2026-12-23 eller -3h', '2026-12-23 21:47, 2026-12-23 or -3h'],
  toHint: ['Tomt: nu', 'Empty: now'],
  use: ['Använd', 'Use'],
  search: ['Sök', 'Search'],
  stop: ['Stoppa', 'Stop'],
  parts: ['Det som ska gälla', 'What has to hold'],
  drop: ['Ta bort {part}', 'Remove {part}'],
  looking: ['Söker … {n} {n|träff|träffar}', 'Searching … {n} {n|hit|hits}'],
  found: ['{n} {n|träff|träffar} i {records} loggposter', '{n} {n|hit|hits} in {records} records'],
  rows: [
    '{n} {n|rad|rader} av {hits} {hits|träff|träffar}',
    '{n} {n|row|rows} of {hits} {hits|hit|hits}'
  ],
  latest: ['De {n} senaste träffarna', 'The {n} latest hits'],
  moreEvents: ['Hämta fler', 'Fetch more'],
  ended: ['Stoppad. Det som visas är inte allt.', 'Stopped. What is shown is not all.'],
  time: ['Tiden tog slut. Det som visas är inte allt.', 'Time was up. What is shown is not all.'],
  failed: ['Sökningen avbröts: {why}', 'The search broke off: {why}'],
  damaged: ['Skadat, inte läst: {what}', 'Damaged, not read: {what}'],
  none: ['Inget hittades i den tiden.', 'Nothing was found in that time.'],
  wider: ['Sök när som helst', 'Search at any time'],
  begin: [
    'Skriv ord att söka efter, eller fält: värde. Tomt visar allt.',
    'Write words to look for, or field: value. Empty shows everything.'
  ],
  export: ['Exportera', 'Export'],
  json: ['JSON, en rad per träff', 'JSON, a line a hit'],
  csv: ['CSV, för kalkylprogram', 'CSV, for spreadsheets'],
  exporting: ['Exporterar …', 'Exporting …'],
  exported: ['{n} {n|rad|rader} sparade', '{n} {n|row|rows} saved'],
  rule: ['Gör till regel', 'Make a rule'],
  results: ['Resultat', 'Results'],
  fieldPane: ['Fält', 'Fields']
})

const EVENTS_FIRST = 200

interface Asking {
  q: string
  range: Range
  go: (q: string, range?: Range) => void
}

function useAsking(again: () => void): Asking {
  const { query, route, url } = useLocation()
  const q = query.q ?? ''
  const range: Range = { from: query.from, to: query.to }
  return {
    q,
    range,
    go: (text, to = range) => {
      const next = searchUrl(text.trim(), to.from, to.to)
      if (next === url) again()
      else route(next)
    }
  }
}

const rangeText = ({ from = USUAL, to }: Range) => {
  const moment = (text: string) => {
    const at = Date.parse(text)
    return Number.isNaN(at) || text.startsWith('-') ? text : formatTime(new Date(at))
  }
  return t('between', { from: moment(from), to: to ? moment(to) : t('now') })
}

function RangeChoice({ range, onRange }: { range: Range; onRange: (range: Range) => void }) {
  const asking = useSignal(false)
  const from = useSignal('')
  const to = useSignal('')
  const current = range.from ?? USUAL
  const known = !range.to && RANGES.find((r) => r === current)
  const begin = () => {
    from.value = range.from === ANY ? '' : current
    to.value = range.to ?? ''
    asking.value = true
  }
  return (
    <>
      <Select
        label={t('when')}
        value={known || 'shown'}
        options={[
          ...(known ? [] : [{ value: 'shown', text: rangeText(range) }]),
          ...RANGES.map((r) => ({ value: r, text: t(r) })),
          { value: 'own', text: t('own') }
        ]}
        onValue={(value) => {
          if (value === 'own') begin()
          else if (value !== 'shown') onRange({ from: value })
        }}
      />
      {asking.value && (
        <AskDialog
          title={t('times')}
          action={t('use')}
          onClose={() => (asking.value = false)}
          onDone={async () => onRange({ from: from.value || ANY, to: to.value || undefined })}
        >
          <TextField
            label={t('from')}
            hint={t('timeHint')}
            value={from.value}
            onValue={(v) => (from.value = v)}
            autoFocus
          />
          <TextField
            label={t('to')}
            hint={t('toHint')}
            value={to.value}
            onValue={(v) => (to.value = v)}
          />
        </AskDialog>
      )}
    </>
  )
}

function Pills({ q, go }: Pick<Asking, 'q' | 'go'>) {
  const { filter, pipes } = splitQuery(q)
  const parts = partsOf(filter)
  if (parts.length === 0) return null
  return (
    <ul class="pills" aria-label={t('parts')}>
      {parts.map((part, n) => (
        <li key={part} class={/^not\b/i.test(part) ? 'pill not' : 'pill'}>
          <span class="mono">{part}</span>
          <button
            type="button"
            aria-label={t('drop', { part })}
            onClick={() => go(`${joinParts(parts.filter((_, at) => at !== n))} ${pipes}`)}
          >
            ×
          </button>
        </li>
      ))}
    </ul>
  )
}

function Standing({ found, events }: { found: Finding; events: boolean }) {
  const { progress, end, running, rows, damage } = found
  const matches = end?.matches || progress?.matches || 0
  const hits = Math.max(matches, events ? rows.length : 0)
  const done = progress?.bytes_total ? progress.bytes / progress.bytes_total : 0
  const text = () => {
    if (running) return t('looking', { n: hits })
    if (events && end?.how === 'enough') return t('latest', { n: rows.length })
    const records = formatNumber(end?.records ?? 0)
    if (events) return t('found', { n: hits, records })
    return t('rows', { n: rows.length, hits })
  }
  return (
    <div class="standing">
      <p role="status">
        {(running || end) && text()}
        {running && done > 0 && ` · ${formatPercent(done)}`}
        {end?.how === 'ended' && ` · ${t('ended')}`}
        {end?.how === 'time' && ` · ${t('time')}`}
      </p>
      {running && <progress aria-label={t('search')} value={done || undefined} max={1} />}
      {running && (
        <button type="button" class="button" onClick={found.stop}>
          {t('stop')}
        </button>
      )}
      {end?.how === 'failed' && (
        <Note kind="bad">{t('failed', { why: sayWrong(end.detail ?? '–', end.detail_sv) })}</Note>
      )}
      {damage.length > 0 && (
        <Note kind="attention">{t('damaged', { what: damage.join(', ') })}</Note>
      )}
    </div>
  )
}

function ExportMenu({ query, range }: { query: string; range: Range }) {
  const running = useSignal<AbortController | null>(null)
  const told = useSignal(0)
  useEffect(() => () => running.peek()?.abort(), [])
  const run = async (kind: 'json' | 'csv') => {
    const stop = new AbortController()
    running.value = stop
    told.value = 0
    try {
      const asked = { query, ...askedRange(range) }
      const n = await exportAs(kind, asked, stop.signal, (so) => (told.value = so))
      toast(t('exported', { n }))
    } catch (problem) {
      if (!stop.signal.aborted) toastProblem(problem)
    }
    running.value = null
  }
  if (running.value)
    return (
      <button type="button" class="button" onClick={() => running.value?.abort()}>
        {t('exporting')} {told.value > 0 && formatNumber(told.value)} · {t('stop')}
      </button>
    )
  return (
    <Menu label={t('export')}>
      <button type="button" onClick={() => run('json')}>
        {t('json')}
      </button>
      <button type="button" onClick={() => run('csv')}>
        {t('csv')}
      </button>
    </Menu>
  )
}

const isWide = () => matchMedia('(min-width: 64rem)').matches

export default function Search() {
  const round = useSignal(0)
  const { q, range, go } = useAsking(() => round.value++)
  const text = useSignal(q)
  const most = useSignal(EVENTS_FIRST)
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    text.value = q
    most.value = EVENTS_FIRST
  }, [q, range.from, range.to])
  useKeys([
    {
      key: '/',
      text: t('focus'),
      run: () => box.current?.querySelector('input')?.focus()
    }
  ])
  const { filter, pipes } = splitQuery(q)
  const asks = filter || '*'
  const query = pipes ? `${filter} ${pipes}` : `${asks} | head ${most.value}`
  const found = useFind({ query, ...askedRange(range) }, round.value)
  const events = found.columns.includes('_event')
  const known = useMemo(() => {
    const seen = events ? fieldsOf(found.rows).map(([name]) => name) : []
    return [...new Set([...USUAL_FIELDS, ...seen])]
  }, [events, found.rows])
  const nothing = !found.running && found.error === undefined && found.rows.length === 0
  const around = { query: filter, from: range.from, to: range.to }
  const refused = found.error instanceof Problem && found.error.status === 400
  return (
    <Page
      title={t('title')}
      actions={
        <>
          <Saved query={q} range={range} />
          {may('export') && <ExportMenu query={pipes ? q : asks} range={range} />}
          {may('rules.write') && filter && (
            <a class="button" href={`/rules/new?${new URLSearchParams({ q: filter })}`}>
              {t('rule')}
            </a>
          )}
        </>
      }
    >
      <ValueContext.Provider value={around}>
        <div class="query" ref={box}>
          <QueryBar
            value={text.value}
            fields={known}
            range={range}
            onValue={(value) => (text.value = value)}
            onSearch={(value) => go(value)}
          />
          <RangeChoice range={range} onRange={(to) => go(text.value, to)} />
          <button type="button" class="button first" onClick={() => go(text.value)}>
            {t('search')}
          </button>
        </div>
        {q === '' && <p class="quiet small">{t('begin')}</p>}
        <Pills q={q} go={go} />
        {found.error !== undefined && (
          <QueryWrong
            query={pipes ? query : asks}
            error={found.error}
            onSearch={(value) => go(value)}
          />
        )}
        {!refused && (
          <>
            <Histogram
              filter={asks}
              range={range}
              round={round.value}
              ready={!found.running || found.rows.length > 0}
              onRange={(to) => go(q, to)}
            />
            <Standing found={found} events={events} />
            <div class={events ? 'finds' : ''}>
              {events && (
                <details class="field-pane" open={isWide()}>
                  <summary>{t('fieldPane')}</summary>
                  <FieldList
                    rows={found.rows}
                    filter={asks}
                    range={range}
                    round={round.value}
                    onGroup={(field) => go(`${asks} | count by ${field}`)}
                  />
                </details>
              )}
              <section aria-label={t('results')} class="stack">
                {nothing && (
                  <Empty>
                    {t('none')} {range.from !== ANY && <a href={searchUrl(q, ANY)}>{t('wider')}</a>}
                  </Empty>
                )}
                {found.rows.length > 0 &&
                  (events ? (
                    <Events rows={found.rows} />
                  ) : (
                    <Answer columns={found.columns} rows={found.rows} />
                  ))}
                {events && found.end?.how === 'enough' && found.rows.length >= most.value && (
                  <button type="button" class="button" onClick={() => (most.value *= 5)}>
                    {t('moreEvents')}
                  </button>
                )}
              </section>
            </div>
          </>
        )}
      </ValueContext.Provider>
    </Page>
  )
}
