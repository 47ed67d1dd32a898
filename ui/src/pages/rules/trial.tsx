// SPDX-License-Identifier: EUPL-1.2
// What rules would have found in the records that are stored: as it comes, stopped at any time.
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { formatNumber, formatPercent } from '../../lib/format'
import { tryRules, type Verdict } from '../../lib/rules'
import { sayWrong, texts } from '../../lib/text'
import { sayProblem } from '../../lib/toasts'
import { Select } from '../../parts/field'
import { Note } from '../../parts/states'
import { Value } from '../../parts/value'

const t = texts({
  over: ['Pröva mot', 'Try on'],
  '-24h': ['senaste dygnet', 'the last 24 hours'],
  '-7d': ['senaste veckan', 'the last week'],
  '-30d': ['senaste 30 dagarna', 'the last 30 days'],
  try: ['Pröva', 'Try'],
  stop: ['Stoppa', 'Stop'],
  trying: ['Prövar … {n} loggposter', 'Trying … {n} records'],
  done: ['Prövad mot {n} {n|loggpost|loggposter}.', 'Tried on {n} {n|record|records}.'],
  failed: ['Provet avbröts: {why}', 'The trial broke off: {why}'],
  alerts: ['Larm', 'Alerts'],
  aDay: ['{n} per dygn', '{n} a day'],
  matches: ['Träffar', 'Matches'],
  hosts: ['Datorer', 'Computers'],
  users: ['Användare', 'Users'],
  values: ['Mest om', 'Mostly about'],
  noData: [
    'Det finns inga loggposter av det slag som den läser.',
    'There are no records of the kind that it reads.'
  ]
})

const SPANS = ['-24h', '-7d', '-30d'] as const

type Found = Verdict['found'][number]

function Values({ found }: { found: Found }) {
  const values = Object.entries(found.values as Record<string, string[]>)
  return (
    <ul class="names">
      {values.map(([field, of]) => (
        <li key={field}>
          <span class="quiet small mono">{field}</span>
          {of.map((value) => (
            <Value key={value} field={field} value={value} entity />
          ))}
        </li>
      ))}
    </ul>
  )
}

function Result({ found }: { found: Found }) {
  return (
    <section aria-label={found.title}>
      <h3>{found.title}</h3>
      {!found.has_data && <p class="quiet">{t('noData')}</p>}
      <dl class="facts">
        <dt>{t('alerts')}</dt>
        <dd>
          {formatNumber(found.alerts)}{' '}
          <span class="quiet">({t('aDay', { n: formatNumber(found.a_day, 1) })})</span>
        </dd>
        <dt>{t('matches')}</dt>
        <dd>{formatNumber(found.matches)}</dd>
        <dt>{t('hosts')}</dt>
        <dd>{formatNumber(found.hosts)}</dd>
        <dt>{t('users')}</dt>
        <dd>{formatNumber(found.users)}</dd>
        {Object.keys(found.values).length > 0 && (
          <>
            <dt>{t('values')}</dt>
            <dd>
              <Values found={found} />
            </dd>
          </>
        )}
      </dl>
    </section>
  )
}

const figure = (progress: Verdict['progress'], name: string) => Number(progress?.[name] ?? 0)

export function Trial({ text, ready = true }: { text: string; ready?: boolean }) {
  const span = useSignal<string>('-7d')
  const running = useSignal<AbortController | null>(null)
  const so = useSignal<Verdict | null>(null)
  const error = useSignal<unknown>(undefined)
  useEffect(() => () => running.peek()?.abort(), [])
  const run = async () => {
    const stop = new AbortController()
    running.value = stop
    so.value = null
    error.value = undefined
    try {
      await tryRules(text, span.value, stop.signal, (told) => (so.value = told))
    } catch (problem) {
      if (!stop.signal.aborted) error.value = problem
    }
    running.value = null
  }
  const { progress, end, found = [] } = so.value ?? {}
  const whole = figure(progress, 'bytes_total')
  return (
    <div class="stack">
      <form
        class="filters"
        onSubmit={(event) => {
          event.preventDefault()
          void run()
        }}
      >
        <Select
          label={t('over')}
          value={span.value}
          options={SPANS.map((value) => ({ value, text: t(value) }))}
          onValue={(value) => (span.value = value)}
        />
        {running.value ? (
          <button type="button" class="button" onClick={() => running.value?.abort()}>
            {t('stop')}
          </button>
        ) : (
          <button type="submit" class="button" disabled={!ready}>
            {t('try')}
          </button>
        )}
        <p role="status">
          {running.value && t('trying', { n: figure(progress, 'records') })}
          {running.value && whole > 0 && ` · ${formatPercent(figure(progress, 'bytes') / whole)}`}
          {end?.how === 'whole' && t('done', { n: end.records })}
        </p>
      </form>
      {end?.how === 'failed' && (
        <Note kind="bad">{t('failed', { why: sayWrong(end.detail ?? '–', end.detail_sv) })}</Note>
      )}
      {error.value !== undefined && <Note kind="bad">{sayProblem(error.value)}</Note>}
      {found.map((f) => (
        <Result key={f.id + f.title} found={f} />
      ))}
    </div>
  )
}
