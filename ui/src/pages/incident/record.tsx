// SPDX-License-Identifier: EUPL-1.2
// The record an alert was found in as it is stored, fetched when somebody wants to see it: to look at it
// stands in the audit log.
import { useSignal } from '@preact/signals'
import { address, request, type Schema } from '../../lib/api'
import { useLoad } from '../../lib/load'
import { texts } from '../../lib/text'
import { Time } from '../../parts/marks'
import { Empty, Show } from '../../parts/states'

const t = texts({
  stored: ['Som den är lagrad', 'As it is stored'],
  audited: [
    'Att du tittar skrivs i granskningsloggen.',
    'That you look is written into the audit log.'
  ],
  number: ['Nummer', 'Number'],
  received: ['Mottagen', 'Received'],
  format: ['Format', 'Format'],
  way: ['Väg', 'Way'],
  bytes: ['Byte', 'Bytes'],
  gone: ['Loggposten finns inte kvar.', 'The record is no longer there.']
})

type Line = Schema<'RecordLine'>
type Stored = NonNullable<Line['record']>

async function read(alert: number, signal: AbortSignal): Promise<Stored[]> {
  const url = address('/alerts/{id}/record', { id: alert })
  const answer = await request(url, { method: 'GET', signal })
  const lines = (await answer.text()).split('\n').filter(Boolean)
  return lines.flatMap((line) => (JSON.parse(line) as Line).record ?? [])
}

// Every byte: what is no text of UTF-8 stands as it was kept, in base64.
const sizeOf = (r: Stored) =>
  r.base64 ? atob(r.base64).length : new TextEncoder().encode(r.raw).length

const One = ({ record: r }: { record: Stored }) => (
  <>
    <dl class="facts">
      <dt>{t('number')}</dt>
      <dd class="mono">{r.seq}</dd>
      <dt>{t('received')}</dt>
      <dd>
        <Time at={r.received} show="at" />
      </dd>
      <dt>{t('format')}</dt>
      <dd class="mono">{r.format}</dd>
      <dt>{t('way')}</dt>
      <dd class="mono wrap">
        {[r.input, r.listener, r.identity, r.address].filter(Boolean).join(' · ')}
      </dd>
      <dt>{t('bytes')}</dt>
      <dd>{sizeOf(r)}</dd>
    </dl>
    <pre class="raw stored">{r.raw}</pre>
  </>
)

export function StoredRecord({ alert }: { alert: number }) {
  const open = useSignal(false)
  const found = useLoad(open.value ? `record ${alert}` : null, (signal) => read(alert, signal))
  return (
    <details
      onToggle={(event) => {
        open.value = event.currentTarget.open
      }}
    >
      <summary>{t('stored')}</summary>
      {open.value && (
        <div class="stack">
          <p class="quiet small">{t('audited')}</p>
          <Show of={found}>
            {(records) =>
              records.length === 0 ? (
                <Empty>{t('gone')}</Empty>
              ) : (
                records.map((record) => <One key={record.seq} record={record} />)
              )
            }
          </Show>
        </div>
      )}
    </details>
  )
}
