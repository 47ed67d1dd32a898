// SPDX-License-Identifier: EUPL-1.2
// How many events there are over time, by when they were received, as the search's times are.
import { findRows, useFind } from '../../lib/find'
import { now } from '../../lib/format'
import { useLoad } from '../../lib/load'
import {
  ANY,
  askedRange,
  iso,
  momentOf,
  type Range,
  secondsOf,
  stepOf,
  USUAL
} from '../../lib/range'
import { texts } from '../../lib/text'
import { Figures } from '../../parts/figures'

const t = texts({
  label: ['Händelser över tid', 'Events over time'],
  events: ['Händelser', 'Events'],
  counting: ['Räknar …', 'Counting …']
})

interface Span {
  from: number
  to: number
}

// Without a beginning it is where the first one is.
async function spanOf(
  filter: string,
  { from, to }: Range,
  signal: AbortSignal
): Promise<Span | null> {
  const at = now.peek() / 1000
  const begin = from === ANY ? undefined : momentOf(from ?? USUAL, at)
  const end = momentOf(to, at)
  if (begin !== undefined && (end !== undefined || !to)) return { from: begin, to: end ?? at }
  const query = `${filter} | stats min(_received) as first, max(_received) as last`
  const [row] = await findRows({ query, ...askedRange({ from, to }) }, signal)
  const first = Date.parse(String(row?.first)) / 1000
  const last = Date.parse(String(row?.last)) / 1000
  return Number.isNaN(first) ? null : { from: first, to: last + 1 }
}

interface HistogramProps {
  filter: string
  range: Range
  round: number
  ready: boolean // what was asked for has its first rows, which nothing is to hold up
  onRange: (range: Range) => void
}

export function Histogram({ filter, range, round, ready, onRange }: HistogramProps) {
  const key = JSON.stringify([filter, range, round])
  const span = useLoad(ready ? key : null, (signal) => spanOf(filter, range, signal)).value
  const step = span && stepOf(span.to - span.from)
  const query = `${filter} | timechart ${step} of _received`
  const found = useFind(step ? { query, ...askedRange(range) } : null, round)
  if (!span || !step || found.error !== undefined) return <div class="histogram" />
  // Bars that are not known yet are not none.
  if (found.running && found.rows.length === 0)
    return <p class="histogram quiet small">{t('counting')}</p>
  const size = secondsOf(step)
  const rows = found.rows.map((row) => ({
    at: Date.parse(String(row._time)) / 1000,
    n: Number(row.count)
  }))
  // The whole of what was asked for, also where nothing was: from the first step that is told.
  const counts = new Map(rows.map(({ at, n }) => [at, n]))
  const anchor = rows[0]?.at ?? Math.floor(span.from / size) * size
  const first = anchor - Math.ceil((anchor - span.from) / size) * size
  const times: number[] = []
  for (let at = first; at < span.to && times.length < 400; at += size) times.push(at)
  return (
    <div class="histogram">
      <Figures
        label={t('label')}
        times={times}
        step={size}
        series={[{ name: t('events'), values: times.map((at) => counts.get(at) ?? 0) }]}
        onRange={(from, to) => onRange({ from: iso(from), to: iso(to) })}
      />
    </div>
  )
}
