// SPDX-License-Identifier: EUPL-1.2
// One alert: why it was raised, the record itself, and how that was understood.
import type { Schema } from '../../lib/api'
import { may } from '../../lib/session'
import { pick, texts } from '../../lib/text'
import { EventFields } from '../../parts/event'
import { Time } from '../../parts/marks'
import { Value } from '../../parts/value'
import { StoredRecord } from './record'

const t = texts({
  respond: ['Gör först', 'Do first'],
  why: ['Därför', 'Why'],
  wanted: ['regeln söker', 'the rule looks for'],
  record: ['Loggposten', 'The record'],
  parsed: ['Så förstods den', 'How it was understood'],
  source: ['Källa', 'Source'],
  number: ['nummer {n}', 'number {n}'],
  happened: ['Hände', 'Happened'],
  noTime: ['loggposten säger inte när', 'the record does not say when'],
  counted: ['Räknat', 'Counted']
})

type Found = Schema<'Found'>

function Matched({ found }: { found: Found }) {
  if (!found.matched?.length) return null
  return (
    <>
      <h3>{t('why')}</h3>
      <ul class="plain-list">
        {found.matched.map((m, index) => (
          <li key={index}>
            <span class="quiet mono">{m.field}</span>{' '}
            <Value field={m.field} value={m.value ?? ''} />{' '}
            {m.pattern && m.pattern !== m.value && (
              <span class="quiet small">
                {t('wanted')} <code>{m.pattern}</code>
              </span>
            )}
          </li>
        ))}
      </ul>
    </>
  )
}

function Source({ source }: { source: Record<string, unknown> }) {
  const { input, identity, address, record } = source
  return (
    <>
      {String(input ?? '–')} · {String(identity ?? address ?? '–')} ·{' '}
      {t('number', { n: String(record ?? '–') })}
    </>
  )
}

export function FoundDetail({ alert, found }: { alert: number; found: Found }) {
  const event = found.event as Record<string, unknown> | undefined
  const message = event?.message
  const matched = new Set(found.matched?.map((m) => m.field))
  return (
    <div class="found stack">
      {found.rule.respond && (
        <p>
          <strong>{t('respond')}:</strong> {pick(found.rule.respond)}
        </p>
      )}
      <dl class="facts">
        <dt>{t('happened')}</dt>
        <dd>{found.time ? <Time at={found.time} /> : <span class="quiet">{t('noTime')}</span>}</dd>
        {found.source && (
          <>
            <dt>{t('source')}</dt>
            <dd>
              <Source source={found.source} />
            </dd>
          </>
        )}
        {found.correlation && (
          <>
            <dt>{t('counted')}</dt>
            <dd class="wrap mono">{JSON.stringify(found.correlation)}</dd>
          </>
        )}
      </dl>
      <Matched found={found} />
      {typeof message === 'string' && (
        <>
          <h3>{t('record')}</h3>
          <pre class="raw">{message}</pre>
        </>
      )}
      {event && (
        <details>
          <summary>{t('parsed')}</summary>
          <EventFields event={event} marked={matched} />
        </details>
      )}
      {may('alerts.read') && <StoredRecord alert={alert} />}
    </div>
  )
}
