// SPDX-License-Identifier: EUPL-1.2
// One rule: what it looks for, what to do first, its tests, what it would have found, what it is not to
// fire on.
import { useSignal } from '@preact/signals'
import { useLocation, useRoute } from 'preact-iso/router'
import { get, remove, type Schema } from '../lib/api'
import { formatNumber } from '../lib/format'
import { queueUrl } from '../lib/links'
import { useLoad } from '../lib/load'
import { language } from '../lib/prefs'
import {
  aboutLangOf,
  aboutOf,
  fetchNoise,
  isGone,
  ruleUrl,
  sourceOf,
  techniquesOf,
  untilSo
} from '../lib/rules'
import { has, isFirst, may } from '../lib/session'
import { pick, texts, titleOf } from '../lib/text'
import { toast } from '../lib/toasts'
import { About } from '../parts/about'
import { AskDialog } from '../parts/dialog'
import { Severity, Time } from '../parts/marks'
import { Page } from '../parts/page'
import { Empty, Show } from '../parts/states'
import { Table } from '../parts/table'
import { Value } from '../parts/value'
import { Exceptions } from './rules/exceptions'
import { SuppressDialog, Suppressions } from './rules/suppressions'
import { Trial } from './rules/trial'

const t = texts({
  rules: ['Regler', 'Rules'],
  rule: ['Regel', 'Rule'],
  copy: ['Egen regel utifrån denna', 'Own rule from this one'],
  change: ['Ändra', 'Change'],
  drop: ['Ta bort …', 'Take away …'],
  dropTitle: ['Ta bort regeln?', 'Take the rule away?'],
  dropText: [
    'Den larmar inte längre. Texten finns kvar bland versionerna, och larm som finns blir kvar.',
    'It fires no more. Its text stays among the versions, and alerts that are there stay.'
  ],
  dropDo: ['Ta bort', 'Take away'],
  dropped: ['Regeln är borttagen.', 'The rule is taken away.'],
  suppress: ['Dämpa …', 'Suppress …'],
  what: ['Vad den söker', 'What it looks for'],
  reads: ['Läser', 'Reads'],
  attack: ['ATT&CK', 'ATT&CK'],
  first: ['Gör först', 'Do first'],
  author: ['Skriven av', 'Written by'],
  changed: ['Ändrad', 'Changed'],
  file: ['Fil', 'File'],
  status: ['Status', 'Status'],
  any: ['alla loggar', 'every log'],
  tests: ['Prov', 'Tests'],
  noTests: ['Regeln har inga prov.', 'The rule has no tests.'],
  fires: ['ska larma', 'has to fire'],
  silent: ['ska vara tyst', 'has to be silent'],
  past: ['I det förflutna', 'In the past'],
  retro: [
    'Skulle ha larmat {n} {n|gång|gånger} mellan {from} och {to}.',
    'Would have fired {n} {n|time|times} between {from} and {to}.'
  ],
  retroNot: [
    'Skulle inte ha larmat mellan {from} och {to}.',
    'Would not have fired between {from} and {to}.'
  ],
  retroNone: [
    'Ingen sökning bakåt har gjorts: regeln var i kraft innan något lagrades.',
    'No retro-hunt was made: the rule was in force before anything was stored.'
  ],
  retroGoing: ['Sökningen bakåt pågår.', 'The retro-hunt is going on.'],
  noise: [
    '{week} larm på 7 dygn och {month} på 30 dygn, om {records} {records|loggpost|loggposter}.',
    '{week} {week|alert|alerts} in 7 days and {month} in 30 days, about {records} {records|record|records}.'
  ],
  noiseSuppressed: ['{n} av dem dämpade.', '{n} of them suppressed.'],
  noiseNone: ['Den har inte larmat på 30 dygn.', 'It has not fired in 30 days.'],
  latest: ['Senaste larmen', 'Latest alerts'],
  noAlerts: ['Inga larm.', 'No alerts.'],
  all: ['Alla', 'All'],
  host: ['Dator', 'Computer'],
  about: ['Gäller', 'About'],
  times: ['Antal', 'Count'],
  last: ['Senast', 'Last'],
  exceptions: ['Undantag', 'Exceptions'],
  suppressions: ['Dämpningar', 'Suppressions'],
  text: ['Regelns text', 'Text of the rule']
})

type Whole = Schema<'RuleWhole'>

// The tests of a rule's text: their names, and whether they have to fire. It was read by the server
// before; here it is only shown.
export function testsOf(text: string): { name: string; fires: boolean }[] {
  const found: { name: string; fires: boolean }[] = []
  for (const line of text.split('\n')) {
    const name = /^\s*- name:\s*(.+?)\s*$/.exec(line)?.[1]
    const fires = /^\s*fires:\s*(true|false)\b/.exec(line)?.[1]
    if (name) found.push({ name: name.replace(/^(['"])(.*)\1$/, '$2'), fires: false })
    const last = found.at(-1)
    if (fires && last) last.fires = fires === 'true'
  }
  return found
}

function Facts({ rule }: { rule: Whole }) {
  const techniques = techniquesOf(rule)
  const respond = pick({
    ...(rule.respond_sv && { sv: rule.respond_sv }),
    ...(rule.respond_en && { en: rule.respond_en })
  })
  return (
    <section class="panel" aria-labelledby="what">
      <h2 id="what">{t('what')}</h2>
      <div class="stack">
        {rule.title_sv && (
          <p class="quiet" lang={language.value === 'sv' ? 'en' : 'sv'}>
            {language.value === 'sv' ? rule.title : rule.title_sv}
          </p>
        )}
        {rule.description && (
          <p class="advice" lang={aboutLangOf(rule)}>
            {aboutOf(rule)}
          </p>
        )}
        {respond && (
          <p class="advice">
            <strong>{t('first')}:</strong> {respond}
          </p>
        )}
        <dl class="facts">
          <dt>{t('reads')}</dt>
          <dd class="mono">{sourceOf(rule) || t('any')}</dd>
          {techniques.length > 0 && (
            <>
              <dt>{t('attack')}</dt>
              <dd class="mono">
                {techniques.map((x) => (
                  <a key={x} class="told" href={`/rules?technique=${x}`}>
                    {x}
                  </a>
                ))}
              </dd>
            </>
          )}
          {rule.author && (
            <>
              <dt>{t('author')}</dt>
              <dd>{rule.author}</dd>
            </>
          )}
          {(rule.modified ?? rule.date) && (
            <>
              <dt>{t('changed')}</dt>
              <dd>{rule.modified ?? rule.date}</dd>
            </>
          )}
          {rule.status && (
            <>
              <dt>{t('status')}</dt>
              <dd>{rule.status}</dd>
            </>
          )}
          <dt>{t('file')}</dt>
          <dd class="mono wrap">{rule.file}</dd>
        </dl>
      </div>
    </section>
  )
}

function Tests({ text }: { text: string | null }) {
  const tests = testsOf(text ?? '')
  return (
    <section class="panel" aria-labelledby="tests">
      <h2 id="tests">{t('tests')}</h2>
      {tests.length === 0 && <p class="quiet">{t('noTests')}</p>}
      <ul class="plain-list">
        {tests.map((x, n) => (
          <li key={n} class="task">
            <span lang="en">{x.name}</span>
            <span class="tag">{t(x.fires ? 'fires' : 'silent')}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}

function retroText(retro: Whole['retro']): string {
  if (!retro) return t('retroNone')
  if (!retro.done) return t('retroGoing')
  const when = { from: String(retro.from).slice(0, 10), to: String(retro.to).slice(0, 10) }
  return retro.alerts > 0 ? t('retro', { n: retro.alerts, ...when }) : t('retroNot', when)
}

function Past({ rule }: { rule: Whole }) {
  return (
    <section class="panel" aria-labelledby="past">
      <h2 id="past">{t('past')}</h2>
      <div class="stack">
        <p>{retroText(rule.retro)}</p>
        {may('rules.write') && rule.text && <Trial text={rule.text} />}
      </div>
    </section>
  )
}

// How much it fires: what somebody who tunes it looks at first.
function Noise({ id }: { id: string }) {
  const noise = useLoad('noise', fetchNoise)
  return (
    <Show of={noise}>
      {(all) => {
        const n = all.get(id)
        return (
          <p>
            {n ? t('noise', { week: n.week, month: n.month, records: n.records }) : t('noiseNone')}
            {n && n.suppressed > 0 && ` ${t('noiseSuppressed', { n: n.suppressed })}`}
          </p>
        )
      }}
    </Show>
  )
}

function Latest({ id }: { id: string }) {
  const page = useLoad(`alerts of ${id}`, (signal) =>
    get('/alerts', { query: { rule: id, limit: 10 }, signal })
  )
  return (
    <section class="panel" aria-labelledby="latest">
      <header>
        <h2 id="latest">{t('latest')}</h2>
        <a href={queueUrl({ view: 'alerts', rule: id })}>{t('all')}</a>
      </header>
      <div class="stack">
        <Noise id={id} />
        <Show of={page}>
          {({ alerts }) =>
            alerts.length === 0 ? (
              <Empty>{t('noAlerts')}</Empty>
            ) : (
              <Table
                caption={t('latest')}
                rows={alerts}
                id={(a) => a.id}
                columns={[
                  {
                    name: t('host'),
                    class: 'name',
                    show: (a) =>
                      a.host ? <Value field="host.name" value={a.host} entity short /> : '–'
                  },
                  {
                    name: t('about'),
                    class: 'name late',
                    show: (a) => <About of={a.entity} host={a.host} />
                  },
                  { name: t('times'), class: 'number', show: (a) => formatNumber(a.count) },
                  { name: t('last'), show: (a) => <Time at={a.last_received} /> }
                ]}
              />
            )
          }
        </Show>
      </div>
    </section>
  )
}

function Shown({ rule, id }: { rule: Whole; id: string }) {
  return (
    <div class="halves">
      <div class="stack">
        <Facts rule={rule} />
        <Past rule={rule} />
        {may('alerts.read') && <Latest id={id} />}
        {isFirst() && (
          <section class="panel" aria-labelledby="exceptions">
            <h2 id="exceptions">{t('exceptions')}</h2>
            <Exceptions rule={[id, rule.title ?? id]} />
          </section>
        )}
        <section class="panel" aria-labelledby="suppressions">
          <h2 id="suppressions">{t('suppressions')}</h2>
          <Suppressions rule={id} />
        </section>
      </div>
      <div class="stack">
        <Tests text={rule.text ?? null} />
        <section class="panel" aria-labelledby="text">
          <h2 id="text">{t('text')}</h2>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: who has no mouse scrolls it */}
          <pre class="raw tall" tabIndex={0}>
            {rule.text}
          </pre>
        </section>
      </div>
    </div>
  )
}

function DropDialog({ id, onClose }: { id: string; onClose: () => void }) {
  const { route } = useLocation()
  const drop = async () => {
    await remove('/rules/{id}', { path: { id } })
    await untilSo(() => isGone(id))
    toast(t('dropped'))
    route('/rules')
  }
  return (
    <AskDialog title={t('dropTitle')} action={t('dropDo')} grave onClose={onClose} onDone={drop}>
      <p>{t('dropText')}</p>
    </AskDialog>
  )
}

interface ActionsProps {
  rule: Whole | undefined
  id: string
  onAsk: (what: 'suppress' | 'drop') => void
}

function Actions({ rule, id, onAsk }: ActionsProps) {
  const own = rule?.own && may('rules.write')
  return (
    <>
      {own && (
        <>
          <a class="button first" href={`${ruleUrl(id)}/edit`}>
            {t('change')}
          </a>
          <button type="button" class="button" onClick={() => onAsk('drop')}>
            {t('drop')}
          </button>
        </>
      )}
      <button type="button" class="button" onClick={() => onAsk('suppress')}>
        {t('suppress')}
      </button>
      {may('rules.write') && (
        <a class="button" href={`/rules/new?from=${encodeURIComponent(id)}`}>
          {t('copy')}
        </a>
      )}
    </>
  )
}

export default function RulePage() {
  const id = useRoute().params.id ?? ''
  const rule = useLoad(`rule ${id}`, (signal) => get('/rules/{id}', { path: { id }, signal }))
  const asking = useSignal<'suppress' | 'drop' | null>(null)
  const close = () => (asking.value = null)
  return (
    <Page
      title={rule.value ? titleOf(rule.value) : t('rule')}
      head={rule.value?.level && <Severity level={rule.value.level} />}
      actions={
        has('rules.write') && (
          <Actions rule={rule.value} id={id} onAsk={(what) => (asking.value = what)} />
        )
      }
    >
      <p class="back">
        <a href="/rules">{t('rules')}</a>
      </p>
      <Show of={rule}>{(found) => <Shown rule={found} id={id} />}</Show>
      {asking.value === 'suppress' && (
        <SuppressDialog rule={id} onClose={close} onDone={rule.reload} />
      )}
      {asking.value === 'drop' && <DropDialog id={id} onClose={close} />}
    </Page>
  )
}
