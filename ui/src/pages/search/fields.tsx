// SPDX-License-Identifier: EUPL-1.2
// The fields of what was found, how many of it have each, and the most frequent values of one.
import { useSignal } from '@preact/signals'
import { findRows, type Row } from '../../lib/find'
import { compare, formatNumber } from '../../lib/format'
import { useLoad } from '../../lib/load'
import { askedRange, type Range } from '../../lib/range'
import { texts } from '../../lib/text'
import { isEntity } from '../../parts/event'
import { TextField } from '../../parts/field'
import { Empty, Show } from '../../parts/states'
import { Value } from '../../parts/value'
import { USUAL_FIELDS } from './complete'

const t = texts({
  fields: ['Fält', 'Fields'],
  filter: ['Hitta fält', 'Find a field'],
  none: ['Inga fält än.', 'No fields yet.'],
  top: ['Vanligaste värden i {field}', 'Most frequent values of {field}'],
  all: ['Alla värden', 'All values'],
  nothing: ['Inga värden i det som söks.', 'No values in what is searched.']
})

const SAMPLE = 500
const MOST = 10

// What is asked for most stands first.
export function fieldsOf(rows: Row[]): [name: string, n: number][] {
  const counts = new Map<string, number>()
  for (const row of rows.slice(0, SAMPLE))
    for (const name of Object.keys((row._event as Row | undefined) ?? {}))
      counts.set(name, (counts.get(name) ?? 0) + 1)
  const isUsual = (name: string) => Number(USUAL_FIELDS.includes(name))
  return [...counts].sort(([a], [b]) => isUsual(b) - isUsual(a) || compare(a, b))
}

interface Around {
  filter: string
  range: Range
  round: number
}

export const Share = ({ part }: { part: number }) => (
  <svg class="share" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
    <rect width={part} height="4" />
  </svg>
)

function Top({
  field,
  filter,
  range,
  round,
  onGroup
}: Around & { field: string; onGroup: () => void }) {
  const query = `${filter} | top ${MOST} ${field}`
  const top = useLoad(JSON.stringify([query, range, round]), (signal) =>
    findRows({ query, ...askedRange(range) }, signal)
  )
  return (
    <Show of={top}>
      {(rows) =>
        rows.length === 0 ? (
          <p class="quiet small">{t('nothing')}</p>
        ) : (
          <>
            <ul class="tops" aria-label={t('top', { field })}>
              {rows.map((row) => (
                <li key={String(row[field])}>
                  <Value field={field} value={String(row[field])} entity={isEntity(field)} />
                  <span class="small quiet">{formatNumber(Number(row.count))}</span>
                  <Share part={Number(row.percent)} />
                </li>
              ))}
            </ul>
            <button type="button" class="button bare small" onClick={onGroup}>
              {t('all')}
            </button>
          </>
        )
      }
    </Show>
  )
}

interface FieldListProps extends Around {
  rows: Row[]
  onGroup: (field: string) => void
}

export function FieldList({ rows, onGroup, ...around }: FieldListProps) {
  const sought = useSignal('')
  const opened = useSignal('')
  const fields = fieldsOf(rows).filter(([name]) =>
    name.toLowerCase().includes(sought.value.toLowerCase())
  )
  return (
    <section class="field-list" aria-label={t('fields')}>
      <TextField label={t('filter')} value={sought.value} onValue={(v) => (sought.value = v)} />
      {fields.length === 0 && <Empty>{t('none')}</Empty>}
      <ul>
        {fields.map(([name, n]) => (
          <li key={name}>
            <button
              type="button"
              class="field-name"
              aria-expanded={opened.value === name}
              onClick={() => (opened.value = opened.value === name ? '' : name)}
            >
              <span class="mono">{name}</span>
              <span class="small quiet">{formatNumber(n)}</span>
            </button>
            {opened.value === name && (
              <Top field={name} {...around} onGroup={() => onGroup(name)} />
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}
