// SPDX-License-Identifier: EUPL-1.2
// How Vaka itself is: whether the watch is proven to be awake, its processes, its disk, and whether
// what is kept is sealed, signed, witnessed and indexed.
import type { ComponentChildren } from 'preact'
import { get } from '../lib/api'
import { formatBytes, formatNumber, formatPercent, formatSpan } from '../lib/format'
import { useLoad } from '../lib/load'
import { pick, texts } from '../lib/text'
import { status } from '../lib/watch'
import { type Condition, Lamp, Time } from '../parts/marks'
import { Page } from '../parts/page'
import { Show } from '../parts/states'
import { Table } from '../parts/table'
import { Drills } from './health/drills'
import { Chain, Holds } from './health/proof'
import { Reach } from './health/reach'

const t = texts({
  title: ['Drift', 'Health'],
  awake: ['Är vakan vaken?', 'Is the watch awake?'],
  collect: ['mottagning', 'collecting'],
  unwrap: ['uppackning', 'unwrapping'],
  store: ['lagring', 'storing'],
  engine: ['regler', 'rules'],
  correlate: ['räknande regler', 'counting rules'],
  triage: ['larm och incidenter', 'alerts and incidents'],
  oncall: ['beredskap', 'on-call'],
  notify: ['utskick', 'messages'],
  provider: ['leverantör', 'provider'],
  kept: ['Det som sparas', 'What is kept'],
  records: ['Loggposter', 'Records'],
  sealed: ['Förseglade', 'Sealed'],
  signed: ['Senaste sigillpunkt', 'Last checkpoint'],
  witnessed: ['Bevittnat', 'Witnessed'],
  noWitness: ['inget vittne', 'no witness'],
  segments: ['Segment', 'Segments'],
  indexed: ['Med index', 'With an index'],
  damaged: ['Skadade ställen', 'Damaged places'],
  lost: ['Manipulerat eller borta', 'Tampered or gone'],
  none: ['inget', 'none'],
  removed: ['Gallrat sedan start', 'Removed since the start'],
  held: ['Segment under bevarandekrav', 'Segments under a legal hold'],
  disk: ['Disk', 'Disk'],
  free: ['{free} fritt av {all} ({part})', '{free} free of {all} ({part})'],
  retained: ['Gallring räknar med', 'Retention goes by'],
  synchronised: ['klockan är synkroniserad', 'the clock is synchronised'],
  unsynchronised: ['klockan är inte synkroniserad', 'the clock is not synchronised'],
  unknown: ['klockan kan inte prövas', 'the clock cannot be checked'],
  processes: ['Processer', 'Processes'],
  process: ['Process', 'Process'],
  state: ['Läge', 'State'],
  up: ['I drift', 'Running for'],
  starts: ['Starter', 'Starts'],
  figures: ['Siffror', 'Figures'],
  answers: ['svarar', 'answers'],
  silent: ['svarar inte', 'does not answer'],
  watchdog: ['Väktaren', 'The watchdog'],
  noWatchdog: [
    'Ingen väktare på en annan dator: tystnar den här larmar ingen. Den ställs in med watchdog.',
    'No watchdog on another computer: when this one is silent nobody is paged. It is set up with watchdog.'
  ],
  watchdogWell: ['{name} svarar.', '{name} answers.'],
  watchdogSilent: ['{name} svarar inte.', '{name} does not answer.'],
  heard: ['Hördes senast', 'Last heard'],
  failed: ['Misslyckade livstecken', 'Failed heartbeats'],
  reading: ['läser reglerna', 'reading rules'],
  running: ['söker', 'searching'],
  telling: ['berättar', 'telling'],
  waiting: ['väntar', 'waiting'],
  idle: ['klar', 'done'],
  retro: ['Sökning bakåt', 'Retro-hunt'],
  retroState: [
    '{n} regler prövade, {found} skulle ha larmat',
    '{n} rules tried, {found} would have fired'
  ]
})

type Said = Record<string, unknown> | null | undefined
const number = (of: Said, member: string) => Number(of?.[member] ?? 0)
const at = (seconds: number) => (seconds > 0 ? new Date(seconds * 1000).toISOString() : null)

const STAGES = [
  'collect',
  'unwrap',
  'store',
  'engine',
  'correlate',
  'triage',
  'oncall',
  'notify',
  'provider'
] as const

// Whether the other machine that pages when this one is silent is there.
function Watchdog({ said }: { said: Said }) {
  if (!said)
    return (
      <p class="lamped">
        <Lamp is="attention" /> <span>{t('noWatchdog')}</span>
      </p>
    )
  const silent = said.silent === true
  return (
    <>
      <p class="lamped">
        <Lamp is={silent ? 'bad' : 'well'} />{' '}
        <span>{t(silent ? 'watchdogSilent' : 'watchdogWell', { name: String(said.name) })}</span>
      </p>
      <dl class="facts">
        <dt>{t('heard')}</dt>
        <dd>
          <Time at={at(number(said, 'heard'))} />
        </dd>
        <dt>{t('failed')}</dt>
        <dd>
          {formatNumber(number(said, 'failures'))} {said.why ? `(${said.why})` : ''}
        </dd>
      </dl>
    </>
  )
}

function Awake() {
  const awake = useLoad('awake', (signal) => get('/awake', { signal }))
  return (
    <section class="panel" aria-labelledby="awake">
      <h2 id="awake">{t('awake')}</h2>
      <Show of={awake}>
        {({ awake: is, line, proven, broken, watchdog, proof }) => (
          <div class="stack">
            <p class="lamped">
              <Lamp is={is ? 'well' : 'attention'} /> <strong>{pick(line)}</strong>
            </p>
            <dl class="figures">
              {STAGES.filter((stage) => stage in proven).map((stage) => (
                <div key={stage}>
                  <dt class="line-marks">
                    <Lamp is={stageIs(proven[stage], stage === broken)} /> {t(stage)}
                  </dt>
                  <dd>
                    <Time at={proven[stage]} show="ago" />
                  </dd>
                </div>
              ))}
            </dl>
            <Reach proof={proof} />
            <h3>{t('watchdog')}</h3>
            <Watchdog said={watchdog as Said} />
          </div>
        )}
      </Show>
    </section>
  )
}

function stageIs(proven: string | null | undefined, broken: boolean): Condition {
  if (broken) return 'bad'
  return proven ? 'well' : 'unknown'
}

function Kept() {
  const store = useLoad('store', (signal) => get('/store', { signal }))
  return (
    <>
      <section class="panel" aria-labelledby="kept">
        <h2 id="kept">{t('kept')}</h2>
        <Show of={store}>
          {({ store: s, seal, index }) => {
            const [kept, sealed, indexed] = [s as Said, seal as Said, index as Said]
            const all = number(kept, 'disk_bytes')
            const free = number(kept, 'disk_free')
            const facts: [string, ComponentChildren, boolean?][] = [
              [t('records'), formatNumber(number(kept, 'next'))],
              [t('sealed'), formatNumber(number(sealed, 'sealed'))],
              [t('signed'), <Time key="signed" at={at(number(sealed, 'signed_at'))} />],
              [
                t('witnessed'),
                number(sealed, 'witnessed_at') ? (
                  <Time key="witnessed" at={at(number(sealed, 'witnessed_at'))} />
                ) : (
                  t('noWitness')
                )
              ],
              [t('segments'), formatNumber(number(indexed, 'segments'))],
              [t('indexed'), formatNumber(number(indexed, 'current'))],
              [t('damaged'), formatNumber(number(kept, 'damaged')), number(kept, 'damaged') > 0],
              [
                t('lost'),
                number(sealed, 'lost') ? formatNumber(number(sealed, 'lost')) : t('none'),
                number(sealed, 'lost') > 0
              ],
              [t('removed'), formatNumber(number(sealed, 'removed'))],
              [t('held'), formatNumber(number(sealed, 'held'))],
              [
                t('retained'),
                <Time key="retained" at={at(number(sealed, 'clock_believed'))} show="at" />
              ],
              [
                t('disk'),
                t('free', {
                  free: formatBytes(free),
                  all: formatBytes(all),
                  part: formatPercent(all ? free / all : 0)
                }),
                kept?.disk !== 'ok'
              ]
            ]
            return (
              <div class="stack">
                <dl class="figures">
                  {facts.map(([name, value, loud]) => (
                    <div key={name}>
                      <dt>{name}</dt>
                      <dd class={loud ? 'loud' : ''}>{value}</dd>
                    </div>
                  ))}
                </dl>
              </div>
            )
          }}
        </Show>
      </section>
      {store.value && <Chain verified={store.value.verified} onDone={store.reload} />}
    </>
  )
}

const COMMON = new Set(['pid', 'starts', 'up_s', 'sources', 'changes'])

// What a process says of itself, but for lists.
function figuresOf(said: Said): [string, string][] {
  return Object.entries(said ?? {})
    .filter(([name, value]) => !COMMON.has(name) && typeof value !== 'object')
    .map(([name, value]) => [
      name,
      typeof value === 'number' ? formatNumber(value, 2) : String(value)
    ])
}

function Processes() {
  const all = status.value?.processes
  if (!all) return null
  const rows = Object.entries(all) as [string, Said][]
  return (
    <section class="panel" aria-labelledby="processes">
      <h2 id="processes">{t('processes')}</h2>
      <Table
        caption={t('processes')}
        rows={rows}
        id={([name]) => name}
        columns={[
          { name: t('process'), show: ([name]) => <span class="mono">{name}</span> },
          {
            name: t('state'),
            show: ([, said]) => (
              <span class={`tag ${said ? '' : 'open'}`}>{t(said ? 'answers' : 'silent')}</span>
            )
          },
          {
            name: t('up'),
            class: 'late',
            show: ([, said]) => (said ? formatSpan(number(said, 'up_s')) : '–')
          },
          {
            name: t('starts'),
            class: 'number',
            show: ([, said]) => formatNumber(number(said, 'starts'))
          },
          {
            name: t('figures'),
            class: 'what',
            show: ([name, said]) => (
              <details>
                <summary>
                  {t('figures')} <span class="unseen">{name}</span>
                </summary>
                <dl class="facts">
                  {figuresOf(said).map(([member, value]) => (
                    <>
                      <dt key={`${member} name`} class="mono small">
                        {member}
                      </dt>
                      <dd key={member} class="mono small">
                        {value}
                      </dd>
                    </>
                  ))}
                </dl>
              </details>
            )
          }
        ]}
      />
    </section>
  )
}

const RETRO = ['reading', 'running', 'telling', 'waiting', 'idle'] as const

function Retro() {
  const said = status.value?.processes.retro as Said
  if (!said) return null
  return (
    <section class="panel" aria-labelledby="retro">
      <h2 id="retro">{t('retro')}</h2>
      <p>
        <span class="tag">{t(RETRO.find((is) => is === said.state) ?? 'waiting')}</span>{' '}
        {formatPercent(number(said, 'done_percent') / 100)} ·{' '}
        {t('retroState', { n: number(said, 'rules'), found: number(said, 'rules_found') })}
      </p>
    </section>
  )
}

const CLOCKS = ['synchronised', 'unsynchronised', 'unknown'] as const

export default function HealthPage() {
  const clock = CLOCKS.find((is) => is === (status.value?.supervisor as Said)?.clock)
  return (
    <Page
      title={t('title')}
      head={
        clock && <span class={`tag ${clock === 'unsynchronised' ? 'open' : ''}`}>{t(clock)}</span>
      }
    >
      <div class="stack">
        <div class="halves">
          <div class="stack">
            <Awake />
            <Drills />
            <Retro />
          </div>
          <div class="stack">
            <Kept />
            <Holds />
          </div>
        </div>
        <Processes />
      </div>
    </Page>
  )
}
