// SPDX-License-Identifier: EUPL-1.2
// What was found: events, each of which opens where it stands, or what pipes made of them, as a table
// and, where it has a shape for it, as a chart.
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Row } from '../../lib/find'
import { formatNumber, formatTime } from '../../lib/format'
import { useKeys } from '../../lib/keys'
import { texts } from '../../lib/text'
import { EventFields, isEntity, valuesOf } from '../../parts/event'
import { Figures } from '../../parts/figures'
import { Time } from '../../parts/marks'
import { Tabs } from '../../parts/tabs'
import { Value } from '../../parts/value'
import { Share } from './fields'

const t = texts({
  events: ['Händelser', 'Events'],
  time: ['Tid', 'Time'],
  host: ['Dator', 'Computer'],
  what: ['Loggpost', 'Record'],
  view: ['Vy', 'View'],
  understood: ['Fält', 'Fields'],
  raw: ['Loggposten', 'The record'],
  received: ['Mottagen', 'Received'],
  source: ['Källa', 'Source'],
  number: ['Nummer', 'Number'],
  answer: ['Svar', 'Answer'],
  chart: ['Diagram', 'Chart'],
  other: ['övriga', 'others'],
  more: ['Visa {n} till', 'Show {n} more'],
  down: ['Nästa händelse', 'Next event'],
  up: ['Föregående händelse', 'Previous event'],
  openRow: ['Öppna eller stäng', 'Open or close']
})

const SHOWN = 100
const MESSAGE_MOST = 160 // characters
const SUMMARY_MOST = 400 // characters

function Opened({ row }: { row: Row }) {
  const at = useSignal('fields')
  const raw = String(row._raw ?? '')
  return (
    <div class="opened">
      <dl class="facts">
        <dt>{t('received')}</dt>
        <dd>
          <Time at={String(row._received)} />
        </dd>
        <dt>{t('source')}</dt>
        <dd class="mono wrap">{String(row._source)}</dd>
        <dt>{t('number')}</dt>
        <dd class="mono">{String(row._seq)}</dd>
      </dl>
      <Tabs
        label={t('view')}
        at={at.value}
        onGo={(id) => (at.value = id)}
        tabs={[
          {
            id: 'fields',
            name: t('understood'),
            show: () => <EventFields event={(row._event as Row) ?? {}} />
          },
          { id: 'raw', name: t('raw'), show: () => <pre class="raw">{raw}</pre> }
        ]}
      />
    </div>
  )
}

// What to read first of an event: a short message, else what is known of it, else the record.
const TELLING = [
  'event.action',
  'event.outcome',
  'user.name',
  'source.ip',
  'destination.ip',
  'destination.port',
  'process.command_line',
  'process.name',
  'file.path',
  'url.path'
]

function Summary({ row }: { row: Row }) {
  const event = (row._event as Row | undefined) ?? {}
  const told = TELLING.filter((name) => event[name] !== undefined)
  const message = typeof event.message === 'string' ? event.message : ''
  const isShort = message !== '' && message.length < MESSAGE_MOST
  if (isShort || told.length < 2) return <>{String(message || row._raw).slice(0, SUMMARY_MOST)}</>
  return (
    <>
      {told.map((name) => (
        <span key={name} class="told">
          <span class="quiet">{name}</span>{' '}
          {valuesOf(event[name]).join(', ').slice(0, SUMMARY_MOST)}
        </span>
      ))}
    </>
  )
}

export function Events({ rows }: { rows: Row[] }) {
  const shown = useSignal(SHOWN)
  const here = useSignal(-1)
  const opened = useSignal<ReadonlySet<number>>(new Set())
  const some = rows.slice(0, shown.value)
  const toggle = (seq: number) => {
    const set = new Set(opened.value)
    if (!set.delete(seq)) set.add(seq)
    opened.value = set
  }
  const step = (by: number) => {
    here.value = Math.max(0, Math.min(some.length - 1, here.value + by))
  }
  useKeys([
    { key: 'j', text: t('down'), run: () => step(1) },
    { key: 'k', text: t('up'), run: () => step(-1) },
    {
      key: 'Enter',
      text: t('openRow'),
      run: () => {
        const row = some[here.value]
        if (row) toggle(Number(row._seq))
      }
    }
  ])
  useEffect(() => {
    document.getElementById(`event-${here.value}`)?.scrollIntoView({ block: 'nearest' })
  }, [here.value])
  return (
    <>
      <div class="table-box">
        <table class="events">
          <caption class="unseen">{t('events')}</caption>
          <thead>
            <tr>
              <th scope="col">{t('time')}</th>
              <th scope="col">{t('host')}</th>
              <th scope="col">{t('what')}</th>
            </tr>
          </thead>
          <tbody>
            {some.map((row, n) => (
              <EventRow
                key={String(row._seq)}
                row={row}
                number={n}
                here={n === here.value}
                open={opened.value.has(Number(row._seq))}
                onToggle={() => toggle(Number(row._seq))}
              />
            ))}
          </tbody>
        </table>
      </div>
      <More left={rows.length - some.length} onMore={() => (shown.value += SHOWN)} />
    </>
  )
}

const More = ({ left, onMore }: { left: number; onMore: () => void }) =>
  left > 0 ? (
    <button type="button" class="button" onClick={onMore}>
      {t('more', { n: Math.min(left, SHOWN) })}
    </button>
  ) : null

interface EventRowProps {
  row: Row
  number: number
  here: boolean
  open: boolean
  onToggle: () => void
}

function EventRow({ row, number, here, open, onToggle }: EventRowProps) {
  const at = new Date(String(row._time))
  return (
    <>
      <tr id={`event-${number}`} class={here ? 'here' : ''}>
        <td>
          <button type="button" class="link mono" aria-expanded={open} onClick={onToggle}>
            {formatTime(at, 'second')}
          </button>
        </td>
        <td class="host">
          {row._host ? <Value field="host.name" value={String(row._host)} entity short /> : '–'}
        </td>
        <td class="summary mono">
          <Summary row={row} />
        </td>
      </tr>
      {open && (
        <tr class="open-row">
          <td colSpan={3}>
            <Opened row={row} />
          </td>
        </tr>
      )}
    </>
  )
}

const isNumber = (value: unknown) => typeof value === 'number'
const isTime = (value: unknown) =>
  typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value)

function Cell({
  column,
  value,
  most
}: {
  column: string
  value: unknown
  most: number | undefined
}) {
  if (value === null || value === undefined) return <span class="quiet">–</span>
  if (typeof value === 'number')
    return (
      <>
        {formatNumber(value, 2)}
        {most ? <Share part={(100 * value) / most} /> : null}
      </>
    )
  if (isTime(value)) return <Time at={String(value)} show="at" />
  if (column.startsWith('_')) return <span class="mono wrap">{valuesOf(value).join(' ')}</span>
  return (
    <>
      {valuesOf(value).map((v) => (
        <Value key={v} field={column} value={v} entity={isEntity(column)} />
      ))}
    </>
  )
}

// Counts have a bar beside them, as long as each is of the largest.
function mostOf(columns: string[], rows: Row[]) {
  const measured = columns.filter((c) => c !== '_time' && c !== '_seq' && isNumber(rows[0]?.[c]))
  return new Map(measured.map((c) => [c, Math.max(...rows.map((row) => Number(row[c]) || 0))]))
}

function AnswerTable({ columns, rows }: { columns: string[]; rows: Row[] }) {
  const shown = useSignal(SHOWN)
  const most = mostOf(columns, rows)
  return (
    <>
      <div class="table-box">
        <table>
          <caption class="unseen">{t('answer')}</caption>
          <thead>
            <tr>
              {columns.map((c) => (
                <th key={c} scope="col" class={most.has(c) ? 'number mono' : 'mono'}>
                  {c}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, shown.value).map((row, n) => (
              <tr key={n}>
                {columns.map((c) => (
                  <td key={c} class={most.has(c) ? 'number' : ''}>
                    <Cell
                      column={c}
                      value={row[c]}
                      most={rows.length > 1 ? most.get(c) : undefined}
                    />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <More left={rows.length - shown.value} onMore={() => (shown.value += SHOWN)} />
    </>
  )
}

const LINES_MOST = 6

// Steps of time, each with a figure for one group, or with several figures.
export function chartOf(columns: string[], rows: Row[]) {
  const groups = columns
    .slice(1)
    .filter((c) => !rows.every((row) => isNumber(row[c]) || row[c] === null))
  const figures = columns.slice(1).filter((c) => !groups.includes(c))
  const times = [...new Set(rows.map((row) => Date.parse(String(row._time)) / 1000))].sort(
    (a, b) => a - b
  )
  const index = new Map(times.map((at, n) => [at, n]))
  const lines = new Map<string, number[]>()
  for (const row of rows)
    for (const figure of figures) {
      const group = groups.map((c) => String(row[c] ?? '–')).join(' · ')
      const name = [group, figures.length > 1 || !group ? figure : ''].filter(Boolean).join(' · ')
      const line = lines.get(name) ?? times.map(() => 0)
      line[index.get(Date.parse(String(row._time)) / 1000) ?? 0] = Number(row[figure] ?? 0)
      lines.set(name, line)
    }
  const sum = (values: number[]) => values.reduce((a, b) => a + b, 0)
  const series = [...lines]
    .map(([name, values]) => ({ name, values }))
    .sort((a, b) => sum(b.values) - sum(a.values))
  const rest = series.splice(LINES_MOST)
  if (rest.length > 0)
    series.push({
      name: t('other'),
      values: times.map((_, n) => sum(rest.map((s) => s.values[n] ?? 0)))
    })
  const step =
    times.length > 1 ? Math.min(...times.slice(1).map((at, n) => at - (times[n] as number))) : 60
  return { times, step, series }
}

export function Answer({ columns, rows }: { columns: string[]; rows: Row[] }) {
  const hasChart = columns[0] === '_time' && rows.length > 1 && columns.length > 1
  const chart = hasChart && rows.length <= 20_000 ? chartOf(columns, rows) : null
  return (
    <div class="stack">
      {chart && chart.times.length > 1 && chart.series.length > 0 && (
        <Figures label={t('chart')} {...chart} lines={chart.series.length > 1} height={220} />
      )}
      <AnswerTable columns={columns} rows={rows} />
    </div>
  )
}
