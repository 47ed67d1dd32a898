// SPDX-License-Identifier: EUPL-1.2
// Who sends, whether each is as it usually is, what was lost on the way, and what is not understood.
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useLocation } from 'preact-iso/router'
import { get } from '../lib/api'
import { useFind } from '../lib/find'
import { compare, formatBytes, formatNumber, formatPercent, formatSpan } from '../lib/format'
import { kql, searchUrl } from '../lib/links'
import { useLoad } from '../lib/load'
import { may } from '../lib/session'
import { texts } from '../lib/text'
import { toastProblem } from '../lib/toasts'
import { Notice } from '../parts/dialog'
import { Figures } from '../parts/figures'
import FirstSource from '../parts/first_source'
import { Time } from '../parts/marks'
import { Page } from '../parts/page'
import { Empty, Note, Show } from '../parts/states'
import { type Column, Table } from '../parts/table'
import { Tabs } from '../parts/tabs'
import { chartOf } from './search/rows'

const t = texts({
  title: ['Källor', 'Sources'],
  view: ['Vy', 'View'],
  health: ['Källor', 'Sources'],
  rhythm: ['Rytm', 'Rhythm'],
  ledger: ['Förlustbok', 'Loss ledger'],
  unread: ['Oförstått', 'Not understood'],
  cloud: ['Molnet', 'The cloud'],
  products: ['Produkter', 'Products'],
  add: ['Anslut en källa', 'Connect a source'],
  source: ['Källa', 'Source'],
  way: ['Väg', 'Way'],
  state: ['Läge', 'State'],
  heard: ['Hördes senast', 'Last heard'],
  usual: ['Vanligt nu', 'Usual now'],
  usualText: ['inom {silence}, {hourly} i timmen', 'within {silence}, {hourly} an hour'],
  notKnown: ['lärs in', 'being learned'],
  days: ['Dygn', 'Days'],
  records: ['Loggposter', 'Records'],
  since: ['Sedan start', 'Since the start'],
  size: ['Mängd', 'Size'],
  part: ['Oförstådda', 'Not understood'],
  samples: ['Visa loggposter', 'Show records'],
  new: ['ny', 'new'],
  well: ['som vanligt', 'as usual'],
  found: ['avviker', 'deviates'],
  resting: ['vilar', 'resting'],
  muted: ['tystad', 'muted'],
  silent: ['tyst', 'silent'],
  volume: ['ovanlig mängd', 'unusual volume'],
  unreadFound: ['förstås inte längre', 'not understood any more'],
  clock: ['klockan går fel', 'its clock is wrong'],
  gap: ['loggposter saknas', 'records are missing'],
  none: ['Ingen har skickat något än.', 'Nobody has sent anything yet.'],
  quiet: ['{n} {n|källa|källor} avviker', '{n} {n|source deviates|sources deviate}'],
  fine: ['Alla källor hörs som vanligt.', 'All sources are heard as usual.'],
  learning: [
    'Ingen källa avviker. {n} lärs in.',
    'No source deviates. {n} {n|is|are} being learned.'
  ],
  nothingLost: [
    'Inget har gått förlorat sedan start: allt som togs emot är lagrat eller på väg.',
    'Nothing was lost since the start: all that was received is stored or on its way.'
  ],
  sum: [
    'Mottaget = lagrat + på väg + förlorat, för varje källa.',
    'Received = stored + on its way + lost, for every source.'
  ],
  received: ['Mottaget', 'Received'],
  stored: ['Lagrat', 'Stored'],
  pending: ['På väg', 'On its way'],
  lost: ['Förlorat', 'Lost'],
  why: ['Varför', 'Why'],
  'lost.kernel': ['socketens buffert var full', "the socket's buffer was full"],
  'lost.busy': ['upptagen', 'busy'],
  'lost.rate': ['för många', 'too many'],
  'lost.share': ['över källans andel', "above the source's share"],
  'lost.store': ['kunde inte lagras', 'could not be stored'],
  'lost.memory': ['minnet räckte inte', 'no memory'],
  'lost.form': ['fel form', 'wrong form'],
  'lost.size': ['för stor', 'too large'],
  'lost.credential': ['fel nyckel', 'wrong credential'],
  'lost.time': ['för långsam', 'too slow'],
  draw: ['Rita senaste dygnet', 'Draw the last 24 hours'],
  drawText: [
    'Räknar loggposterna i varje timme för varje källa. Det läser lagret, och syns i revisionsloggen.',
    'Counts the records of each hour of every source. It reads the store, and the audit log shows it.'
  ],
  drawing: ['Räknar …', 'Counting …'],
  stop: ['Stoppa', 'Stop'],
  rhythmLabel: ['Loggposter i timmen från varje källa', 'Records an hour of each source'],
  unreadText: [
    'Så stor del av varje källas loggposter förstås vanligtvis inte. Läs några, och skriv eller be om en produktfil.',
    'This part of the records of each source is usually not understood. Read some, and write or ask for a product file.'
  ],
  noCloud: ['Inga källor i molnet.', 'No sources in the cloud.'],
  lag: ['Efter', 'Behind'],
  failure: ['Senaste fel', 'Last failure'],
  succeeded: ['Lyckades senast', 'Last succeeded'],
  product: ['Produkt', 'Product'],
  evidence: ['Jämförd med', 'Compared with'],
  unverified: ['ingen annans loggar', 'nobody else’s logs'],
  proofs: ['Prov', 'Samples']
})

const STATES = ['new', 'well', 'found', 'resting', 'muted'] as const
const FOUND = {
  silent: 'silent',
  volume: 'volume',
  unread: 'unreadFound',
  clock: 'clock',
  gap: 'gap'
} as const
const LOST = [
  'kernel',
  'busy',
  'rate',
  'share',
  'store',
  'memory',
  'form',
  'size',
  'credential',
  'time'
] as const

interface Ways {
  input: string
  listener: string
  identity: string
  address: string
}
interface Health extends Ways {
  state: (typeof STATES)[number]
  found: (keyof typeof FOUND)[]
  seen: number
  silence_s: number | null
  hourly: number | null
  unread: number
  days: number
}
interface Ledger {
  received: number
  stored: number
  pending: number
  lost: Partial<Record<(typeof LOST)[number], number>>
}
interface Received extends Ways {
  records: Ledger
  requests: Ledger
  bytes: number
  seen: number
}
interface Cloud {
  kind: string
  tenant: string
  state: string
  succeeded: number
  lag_s: number
  failure: string
  records: number
}
interface Told {
  sources: Health[]
  received: Received[]
  cloud: Cloud[]
}

async function fetchSources(signal: AbortSignal): Promise<Told> {
  const { sources, received, pull } = await get('/sources', { signal })
  return {
    sources: (sources ?? []) as unknown as Health[],
    received: (received ?? []) as unknown as Received[],
    cloud: ((pull as { sources?: Cloud[] } | null)?.sources ?? []) as Cloud[]
  }
}

const idOf = (s: Ways) => `${s.input} ${s.listener} ${s.identity} ${s.address}`
const nameOf = (s: Ways) => s.identity || s.address || s.listener
const at = (seconds: number) => (seconds ? new Date(seconds * 1000).toISOString() : null)

const Name = ({ of }: { of: Ways }) => (
  <>
    <span class="strong wrap">{nameOf(of)}</span>
    {of.identity && <span class="quiet small block">{of.address}</span>}
  </>
)

function StateOf({ of }: { of: Health }) {
  const bad = of.state === 'found'
  return (
    <span class={`tag ${bad ? 'open' : of.state === 'well' ? '' : 'done'}`}>
      {bad ? of.found.map((f) => t(FOUND[f])).join(', ') || t('found') : t(of.state)}
    </span>
  )
}

function usual({ silence_s, hourly }: Health): string {
  if (silence_s === null || hourly === null) return t('notKnown')
  return t('usualText', { silence: formatSpan(silence_s), hourly: formatNumber(hourly) })
}

// Those that are not well stand first.
const byNeed = (a: Health, b: Health) =>
  Number(b.state === 'found') - Number(a.state === 'found') || compare(nameOf(a), nameOf(b))

function List({ told }: { told: Told }) {
  if (told.sources.length === 0 && told.received.length === 0)
    return (
      <Note>
        <p>{t('none')}</p>
        <FirstSource />
      </Note>
    )
  const bad = told.sources.filter((s) => s.state === 'found').length
  const learned = told.sources.filter((s) => s.state === 'new').length
  const of = new Map(told.received.map((r) => [idOf(r), r]))
  const columns: Column<Health>[] = [
    { name: t('source'), class: 'first', show: (s) => <Name of={s} /> },
    { name: t('state'), show: (s) => <StateOf of={s} /> },
    { name: t('heard'), class: 'late', show: (s) => <Time at={at(s.seen)} /> },
    { name: t('usual'), class: 'late', show: (s) => <span class="small">{usual(s)}</span> },
    {
      name: t('since'),
      class: 'number late',
      show: (s) =>
        formatNumber(
          (of.get(idOf(s))?.records.received ?? 0) + (of.get(idOf(s))?.requests.received ?? 0)
        )
    },
    {
      name: t('size'),
      class: 'number late',
      show: (s) => formatBytes(of.get(idOf(s))?.bytes ?? 0)
    },
    { name: t('days'), class: 'number late', show: (s) => formatNumber(s.days) },
    {
      name: t('way'),
      class: 'late',
      show: (s) => <span class="mono small">{`${s.input} ${s.listener}`}</span>
    }
  ]
  return (
    <div class="stack">
      <p role="status">
        <strong>
          {bad > 0
            ? t('quiet', { n: bad })
            : learned > 0
              ? t('learning', { n: learned })
              : t('fine')}
        </strong>
      </p>
      <Table
        caption={t('health')}
        columns={columns}
        rows={[...told.sources].sort(byNeed)}
        id={idOf}
      />
    </div>
  )
}

function sumOf(of: Received): Ledger {
  const { records: a, requests: b } = of
  const lost: Ledger['lost'] = {}
  for (const why of LOST) {
    const n = (a.lost[why] ?? 0) + (b.lost[why] ?? 0)
    if (n > 0) lost[why] = n
  }
  return {
    received: a.received + b.received,
    stored: a.stored + b.stored,
    pending: a.pending + b.pending,
    lost
  }
}

const lostOf = ({ lost }: Ledger) => Object.values(lost).reduce((sum, n) => sum + n, 0)

function LedgerTable({ told }: { told: Told }) {
  const rows = told.received.map((of) => ({ of, ...sumOf(of) }))
  const lost = rows.some((row) => lostOf(row) > 0)
  return (
    <div class="stack">
      <p>{t('sum')}</p>
      {!lost && <p role="status">{t('nothingLost')}</p>}
      {rows.length > 0 && (
        <Table
          caption={t('ledger')}
          rows={rows.sort((a, b) => lostOf(b) - lostOf(a))}
          id={(row) => idOf(row.of)}
          columns={[
            { name: t('source'), class: 'what', show: (row) => <Name of={row.of} /> },
            { name: t('received'), class: 'number', show: (row) => formatNumber(row.received) },
            { name: t('stored'), class: 'number', show: (row) => formatNumber(row.stored) },
            { name: t('pending'), class: 'number', show: (row) => formatNumber(row.pending) },
            {
              name: t('lost'),
              class: 'number',
              show: (row) => (
                <span class={lostOf(row) > 0 ? 'loud' : ''}>{formatNumber(lostOf(row))}</span>
              )
            },
            {
              name: t('why'),
              show: (row) =>
                LOST.filter((why) => row.lost[why])
                  .map((why) => `${t(`lost.${why}`)}: ${formatNumber(row.lost[why] ?? 0)}`)
                  .join(', ') || '–'
            }
          ]}
        />
      )}
    </div>
  )
}

const HOUR = 3600
const COUNTING = { query: '* | timechart 1h of _received by _source', from: '-24h' }

function Rhythm() {
  const round = useSignal(0)
  const found = useFind(round.value > 0 ? COUNTING : null, round.value)
  if (found.error !== undefined) toastProblem(found.error)
  const chart = found.rows.length > 0 ? chartOf(found.columns, found.rows) : null
  return (
    <div class="stack">
      <p class="quiet">{t('drawText')}</p>
      <div class="buttons">
        {found.running ? (
          <button type="button" class="button" onClick={found.stop}>
            {t('stop')}
          </button>
        ) : (
          <button type="button" class="button first" onClick={() => round.value++}>
            {t('draw')}
          </button>
        )}
      </div>
      <p role="status">{found.running && t('drawing')}</p>
      {chart?.series.map((one) => (
        <section key={one.name} class="panel" aria-label={one.name}>
          <h2 class="mono">{one.name}</h2>
          <Figures
            label={`${t('rhythmLabel')}: ${one.name}`}
            times={chart.times}
            step={HOUR}
            series={[{ ...one, name: t('records') }]}
          />
        </section>
      ))}
    </div>
  )
}

function Unread({ told }: { told: Told }) {
  const rows = [...told.sources].sort((a, b) => b.unread - a.unread)
  return (
    <div class="stack">
      <p>{t('unreadText')}</p>
      <Table
        caption={t('unread')}
        rows={rows}
        id={idOf}
        columns={[
          { name: t('source'), class: 'what', show: (s) => <Name of={s} /> },
          { name: t('part'), class: 'number', show: (s) => formatPercent(s.unread) },
          {
            name: '',
            class: 'late',
            unseen: t('samples'),
            show: (s) =>
              may('search') && (
                <a
                  href={searchUrl(`not event.category: * | table _source, _raw | head 100`, '-24h')}
                >
                  {t('samples')} <span class="unseen">{nameOf(s)}</span>
                </a>
              )
          }
        ]}
      />
    </div>
  )
}

function CloudTable({ told }: { told: Told }) {
  if (told.cloud.length === 0) return <Empty>{t('noCloud')}</Empty>
  return (
    <Table
      caption={t('cloud')}
      rows={told.cloud}
      id={(c) => `${c.kind} ${c.tenant}`}
      columns={[
        { name: t('source'), class: 'what', show: (c) => `${c.kind} ${c.tenant}` },
        { name: t('state'), show: (c) => <span class="tag">{c.state}</span> },
        { name: t('succeeded'), class: 'late', show: (c) => <Time at={at(c.succeeded)} /> },
        { name: t('lag'), class: 'number', show: (c) => formatSpan(c.lag_s) },
        { name: t('records'), class: 'number', show: (c) => formatNumber(c.records) },
        { name: t('failure'), class: 'what', show: (c) => c.failure || '–' }
      ]}
    />
  )
}

function Products() {
  const page = useLoad('products', (signal) => get('/products', { signal }))
  return (
    <Show of={page}>
      {({ products }) => (
        <Table
          caption={t('products')}
          rows={[...products].sort((a, b) => compare(a.title, b.title))}
          id={(p) => p.name}
          columns={[
            {
              name: t('product'),
              class: 'what',
              show: (p) =>
                may('search') ? (
                  <a class="strong" lang="en" href={searchUrl(kql('event.dataset', `${p.name}*`))}>
                    {p.title}
                  </a>
                ) : (
                  <span class="strong" lang="en">
                    {p.title}
                  </span>
                )
            },
            {
              name: t('evidence'),
              class: 'what',
              show: (p) => (
                <span class="small">
                  {p.evidence === 'unverified' ? t('unverified') : p.evidence}
                </span>
              )
            },
            { name: t('proofs'), class: 'number', show: (p) => formatNumber(p.samples) }
          ]}
        />
      )}
    </Show>
  )
}

export default function Sources() {
  const { query, route } = useLocation()
  const sources = useLoad('sources', fetchSources)
  const adding = useSignal(false)
  const shown = (draw: (told: Told) => ComponentChildren) => () => <Show of={sources}>{draw}</Show>
  return (
    <Page
      title={t('title')}
      actions={
        <button type="button" class="button" onClick={() => (adding.value = true)}>
          {t('add')}
        </button>
      }
    >
      <Tabs
        label={t('view')}
        at={query.view ?? 'health'}
        onGo={(id) => route(id === 'health' ? '/sources' : `/sources?view=${id}`, true)}
        tabs={[
          { id: 'health', name: t('health'), show: shown((told) => <List told={told} />) },
          ...(may('search') ? [{ id: 'rhythm', name: t('rhythm'), show: () => <Rhythm /> }] : []),
          { id: 'ledger', name: t('ledger'), show: shown((told) => <LedgerTable told={told} />) },
          { id: 'unread', name: t('unread'), show: shown((told) => <Unread told={told} />) },
          { id: 'cloud', name: t('cloud'), show: shown((told) => <CloudTable told={told} />) },
          ...(may('rules.read')
            ? [{ id: 'products', name: t('products'), show: () => <Products /> }]
            : [])
        ]}
      />
      {adding.value && (
        <Notice title={t('add')} onClose={() => (adding.value = false)}>
          <FirstSource />
        </Notice>
      )}
    </Page>
  )
}
