// SPDX-License-Identifier: EUPL-1.2
// What could stand where somebody writes: fields, their most frequent values, words of pipes.
import { findRows } from '../../lib/find'
import { joinParts, type Place, partsOf, placeAt, splitQuery, valueText } from '../../lib/kql'
import { askedRange, type Range } from '../../lib/range'
import { texts } from '../../lib/text'

const t = texts({
  count: ['räknar, med by i grupper', 'counts, with by in groups'],
  top: ['de vanligaste värdena', 'the most frequent values'],
  rare: ['de ovanligaste värdena', 'the least frequent values'],
  stats: ['summor, medel, percentiler', 'sums, averages, percentiles'],
  timechart: ['över tid, i steg som 5m eller 1h', 'over time, in steps such as 5m or 1h'],
  table: ['bara dessa kolumner', 'only these columns'],
  sort: ['ordnar, med - störst först', 'orders, with - largest first'],
  head: ['bara de första', 'only the first ones'],
  dedup: ['en rad för varje värde', 'one row for each value'],
  and: ['båda gäller', 'both hold'],
  or: ['något gäller', 'one of them holds'],
  not: ['gäller inte', 'does not hold'],
  times: ['{n} {n|gång|gånger}', '{n} {n|time|times}']
})

export interface Offer {
  text: string // what takes the place of what was written
  shown: string
  hint: string
}

const PIPES = [
  'count',
  'top',
  'rare',
  'stats',
  'timechart',
  'table',
  'sort',
  'head',
  'dedup'
] as const
const OPERATORS = ['and', 'or', 'not'] as const
export const USUAL_FIELDS = [
  'host.name',
  'user.name',
  'source.ip',
  'destination.ip',
  'destination.port',
  'event.action',
  'event.outcome',
  'event.code',
  'event.category',
  'event.dataset',
  'process.name',
  'process.command_line',
  'file.path',
  'url.path',
  'message'
]
const OWN = ['_time', '_received', '_seq', '_host', '_source', '_raw']
const MOST = 12

const begins = (name: string, text: string) => name.toLowerCase().startsWith(text.toLowerCase())
const holds = (name: string, text: string) => name.toLowerCase().includes(text.toLowerCase())

function fieldOffers(fields: string[], text: string, end: string): Offer[] {
  const found = [
    ...fields.filter((f) => begins(f, text)),
    ...fields.filter((f) => !begins(f, text) && holds(f, text))
  ]
  return found.map((f) => ({ text: `${f}${end}`, shown: f, hint: '' }))
}

async function valueOffers(
  query: string,
  at: Place & { kind: 'value' },
  range: Range,
  s: AbortSignal
) {
  // What was written before the value still holds; the value's own part does not.
  const rest = partsOf(splitQuery(query.slice(0, at.from)).filter).slice(0, -1)
  const like = at.text ? [`${at.field}: ${at.text.replace(/[\\():<>"*{}|\s]/g, '\\$&')}*`] : []
  const filter = joinParts([...rest, ...like]) || '*'
  const rows = await findRows(
    { query: `${filter} | top ${MOST} ${at.field}`, ...askedRange(range) },
    s
  )
  return rows.map((row) => {
    const value = String(row[at.field] ?? '')
    return {
      text: `${valueText(value)} `,
      shown: value,
      hint: t('times', { n: Number(row.count) })
    }
  })
}

export async function offersAt(
  query: string,
  caret: number,
  fields: string[],
  range: Range,
  signal: AbortSignal
): Promise<{ place: Place; offers: Offer[] }> {
  const place = placeAt(query, caret)
  const word = <K extends (typeof PIPES)[number] | (typeof OPERATORS)[number]>(k: K): Offer => ({
    text: `${k} `,
    shown: k,
    hint: t(k)
  })
  if (place.kind === 'value')
    return { place, offers: await valueOffers(query, place, range, signal) }
  if (place.kind === 'pipe')
    return { place, offers: PIPES.filter((p) => begins(p, place.text)).map(word) }
  if (place.kind === 'column')
    return { place, offers: fieldOffers([...fields, ...OWN], place.text, '').slice(0, MOST) }
  const operators = place.from > 0 ? OPERATORS.filter((o) => begins(o, place.text)).map(word) : []
  return { place, offers: [...operators, ...fieldOffers(fields, place.text, ': ')].slice(0, MOST) }
}
