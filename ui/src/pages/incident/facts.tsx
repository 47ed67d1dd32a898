// SPDX-License-Identifier: EUPL-1.2
import type { Incident } from '../../lib/acts'
import { formatNumber, formatSpan } from '../../lib/format'
import { pick, texts, titleOf } from '../../lib/text'
import { Time } from '../../parts/marks'
import { Value } from '../../parts/value'

const t = texts({
  facts: ['Fakta', 'Facts'],
  score: ['Poäng', 'Score'],
  alerts: ['Larm', 'Alerts'],
  records: ['Loggposter', 'Records'],
  owner: ['Tilldelad', 'Assigned to'],
  nobody: ['ingen', 'nobody'],
  first: ['Första händelse', 'First activity'],
  last: ['Senaste händelse', 'Last activity'],
  detected: ['Upptäckt', 'Detected'],
  acked: ['Kvitterad', 'Acknowledged'],
  triaged: ['Bedömd', 'Triaged'],
  contained: ['Hejdad', 'Contained'],
  closed: ['Stängd', 'Closed'],
  took: ['efter {span}', 'after {span}'],
  impact: ['Kan påverka', 'May affect'],
  rules: ['Vad som hände', 'What happened'],
  times: ['{n} {n|gång|gånger}', '{n} {n|time|times}'],
  low: ['låg vikt', 'low importance'],
  normal: ['normal vikt', 'normal importance'],
  high: ['hög vikt', 'high importance'],
  critical: ['kritisk vikt', 'critical importance']
})

function took(from: string | null | undefined, to: string | null | undefined) {
  if (!from || !to) return null
  const span = formatSpan((Date.parse(to) - Date.parse(from)) / 1000)
  return <span class="quiet small"> {t('took', { span })}</span>
}

export function Facts({ incident: i }: { incident: Incident }) {
  return (
    <section class="panel" aria-labelledby="facts">
      <h2 id="facts">{t('facts')}</h2>
      <dl class="facts">
        <dt>{t('owner')}</dt>
        <dd>{i.assignee ?? t('nobody')}</dd>
        <dt>{t('score')}</dt>
        <dd>{i.score}</dd>
        <dt>{t('alerts')}</dt>
        <dd>{formatNumber(i.alerts)}</dd>
        <dt>{t('records')}</dt>
        <dd>{formatNumber(i.records ?? 0)}</dd>
        <dt>{t('first')}</dt>
        <dd>
          <Time at={i.first_activity} show="at" />
        </dd>
        <dt>{t('last')}</dt>
        <dd>
          <Time at={i.last_activity} show="at" />
        </dd>
        <dt>{t('detected')}</dt>
        <dd>
          <Time at={i.detected} show="at" />
          {took(i.first_activity, i.detected)}
        </dd>
        <dt>{t('acked')}</dt>
        <dd>
          <Time at={i.acked} show="at" />
          {took(i.detected, i.acked)}
        </dd>
        <dt>{t('triaged')}</dt>
        <dd>
          <Time at={i.triaged} show="at" />
          {took(i.detected, i.triaged)}
        </dd>
        <dt>{t('contained')}</dt>
        <dd>
          <Time at={i.contained} show="at" />
          {took(i.detected, i.contained)}
        </dd>
        {i.closed && (
          <>
            <dt>{t('closed')}</dt>
            <dd>
              <Time at={i.closed} show="at" />
            </dd>
          </>
        )}
      </dl>
      <Impact incident={i} />
      <Rules incident={i} />
    </section>
  )
}

function Impact({ incident: i }: { incident: Incident }) {
  if (!i.impact?.length) return null
  return (
    <>
      <h3>{t('impact')}</h3>
      <ul class="plain-list">
        {i.impact.map((a) => (
          <li key={a.host}>
            <Value field="host.name" value={a.host} entity />{' '}
            <span class="quiet small">
              {[a.service, t(a.importance), a.owner].filter(Boolean).join(' · ')}
            </span>
          </li>
        ))}
      </ul>
    </>
  )
}

function Rules({ incident: i }: { incident: Incident }) {
  return (
    <>
      <h3>{t('rules')}</h3>
      <ul class="plain-list rules">
        {i.rules?.map((r) => (
          <li key={r.id ?? r.title}>
            <details>
              <summary>
                {titleOf(r)} <span class="quiet small">{t('times', { n: r.records })}</span>
              </summary>
              <p class="quiet">{pick(r.respond)}</p>
            </details>
          </li>
        ))}
      </ul>
    </>
  )
}
