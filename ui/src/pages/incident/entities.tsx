// SPDX-License-Identifier: EUPL-1.2
// Who and what it is about, and what connects them: drawn, and the same as a table.
import { useSignal } from '@preact/signals'
import type { Incident } from '../../lib/acts'
import { get, type Schema } from '../../lib/api'
import { formatNumber } from '../../lib/format'
import { type Graph, layOut } from '../../lib/graph'
import { useLoad } from '../../lib/load'
import { texts } from '../../lib/text'
import { Value } from '../../parts/value'

const t = texts({
  title: ['Vilka det gäller', 'Who and what it is about'],
  user: ['användare', 'user'],
  host: ['dator', 'computer'],
  address: ['adress', 'address'],
  hash: ['kontrollsumma', 'hash'],
  other: ['annat', 'other'],
  bystander: ['vidarebefordrar loggen', 'passes the log on'],
  alerts: ['{n} larm', '{n} {n|alert|alerts}'],
  drawing: ['Hur de hänger ihop: {n} samband', 'How they are connected: {n} {n|link|links}'],
  table: ['Samband som tabell', 'Connections as a table'],
  from: ['Från', 'From'],
  to: ['Till', 'To'],
  count: ['Larm', 'Alerts'],
  sample: ['Samband ur de första {n} larmen.', 'Connections in the first {n} alerts.'],
  none: ['Larmen nämner ingen.', 'The alerts name nobody.'],
  all: ['Visa alla {n}', 'Show all {n}']
})

const KINDS = ['user', 'host', 'address', 'hash'] as const
const kindName = (kind: string) => t(KINDS.find((k) => k === kind) ?? 'other')

const SAMPLE = 100
const MOST = 7 // of one kind in the drawing
const ROW = 34
const COLUMN = 150
const NAMES = 12
const PAD = 12

const named = (alerts: Schema<'IncidentAlert'>[]) =>
  alerts.map(({ alert }) => [
    ...Object.values(alert.entities ?? {}).flat(),
    ...(alert.host ? [alert.host] : [])
  ])

const x = (layer: number) => PAD + layer * COLUMN
const y = (at: number) => PAD + at * ROW

// Names are cut in the drawing; the table has the whole of them.
const cut = (name: string) => (name.length > 14 ? `${name.slice(0, 13)}…` : name)

function Drawing({ graph }: { graph: Graph }) {
  const rows = Math.max(...graph.nodes.map((n) => n.at)) + 1
  const width = x(graph.layers - 1) + COLUMN
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard
    <section class="graph" tabIndex={0} aria-label={t('drawing', { n: graph.edges.length })}>
      <svg
        style={{ minWidth: `${width}px` }}
        viewBox={`0 0 ${width} ${y(rows)}`}
        role="img"
        aria-label={t('drawing', { n: graph.edges.length })}
      >
        {graph.edges.map((e) => {
          const from = x(e.from.layer) + COLUMN - 34
          const to = x(e.to.layer)
          const bend = (to - from) / 2
          return (
            <path
              key={`${e.from.name} ${e.to.name}`}
              class="edge"
              d={`M${from} ${y(e.from.at) + 11}c${bend} 0 ${bend} ${y(e.to.at) - y(e.from.at)} ${to - from} ${y(e.to.at) - y(e.from.at)}`}
              stroke-width={Math.min(5, 1 + Math.log2(e.alerts))}
            />
          )
        })}
        {graph.nodes.map((n) => (
          <g key={n.name} transform={`translate(${x(n.layer)} ${y(n.at)})`}>
            <rect class={`node ${n.kind}`} width={COLUMN - 34} height="22" rx="3" />
            <text x="8" y="15">
              {cut(n.name)}
            </text>
          </g>
        ))}
      </svg>
    </section>
  )
}

function Twin({ graph }: { graph: Graph }) {
  return (
    <details>
      <summary>{t('table')}</summary>
      <table class="fields">
        <caption class="unseen">{t('table')}</caption>
        <thead>
          <tr>
            <th scope="col">{t('from')}</th>
            <th scope="col">{t('to')}</th>
            <th scope="col" class="number">
              {t('count')}
            </th>
          </tr>
        </thead>
        <tbody>
          {graph.edges.map((e) => (
            <tr key={`${e.from.name} ${e.to.name}`}>
              <td class="wrap">{e.from.name}</td>
              <td class="wrap">{e.to.name}</td>
              <td class="number">{formatNumber(e.alerts)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  )
}

export function Entities({ incident: i }: { incident: Incident }) {
  const id = String(i.id)
  const page = useLoad(`entities ${id} ${i.alerts}`, (signal) =>
    get('/incidents/{incident}/alerts', {
      path: { incident: id },
      query: { limit: SAMPLE },
      signal
    })
  )
  const names = i.names ?? []
  const all = useSignal(false)
  const shown = all.value ? names : names.slice(0, NAMES)
  const meant = names.filter((n) => !n.bystander)
  const graph = page.value && layOut(meant, named(page.value.alerts), MOST)
  return (
    <section class="panel" aria-labelledby="entities">
      <h2 id="entities">{t('title')}</h2>
      {names.length === 0 && <p class="quiet">{t('none')}</p>}
      {graph && graph.edges.length > 0 && (
        <>
          <Drawing graph={graph} />
          <Twin graph={graph} />
          {i.alerts > SAMPLE && <p class="quiet small">{t('sample', { n: SAMPLE })}</p>}
        </>
      )}
      <ul class="plain-list names">
        {shown.map((n) => (
          <li key={n.name}>
            <span class="quiet small">{kindName(n.kind)}</span> <Value value={n.name} entity />
            <span class="quiet small">
              {n.bystander ? t('bystander') : t('alerts', { n: n.alerts })}
            </span>
          </li>
        ))}
      </ul>
      {shown.length < names.length && (
        <button type="button" class="button" onClick={() => (all.value = true)}>
          {t('all', { n: names.length })}
        </button>
      )}
    </section>
  )
}
