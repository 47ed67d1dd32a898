// SPDX-License-Identifier: EUPL-1.2
// The first look: would anybody hear, what is open, what has come since.
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { type Incident, plainOf } from '../lib/acts'
import { get, type Schema } from '../lib/api'
import { findingText } from '../lib/findings'
import { formatBytes, formatNumber, formatSpan, formatTime } from '../lib/format'
import { incidentUrl, queueUrl } from '../lib/links'
import { listen } from '../lib/live'
import { useLoad } from '../lib/load'
import { may, me } from '../lib/session'
import { texts } from '../lib/text'
import { askedAt, awake, findings, status, worst } from '../lib/watch'
import { Lamp, LEVELS, levelName, Severity, StateTag, Time } from '../parts/marks'
import { OnCall } from '../parts/on_call'
import { Page } from '../parts/page'
import { Empty, Show } from '../parts/states'

const t = texts({
  title: ['Nu', 'Now'],
  awake: ['Vakan är vaken', 'The watch is awake'],
  attention: ['Vakan är vaken, men behöver tillsyn', 'The watch is awake, but needs attention'],
  bad: ['Vakan hör inte allt', 'The watch does not hear everything'],
  unknown: ['Frågar vakan …', 'Asking the watch …'],
  asked: ['Kontrollerat {time}', 'Checked at {time}'],
  records: ['Loggposter', 'Records'],
  lag: ['Larmen ligger efter', 'Alerts are behind by'],
  sources: ['Källor som hörs', 'Sources heard'],
  rules: ['Regler i kraft', 'Rules in force'],
  proven: ['Senast bevisad vaken', 'Last proven awake'],
  reached: ['Senast nådd på riktigt', 'Last really reached'],
  signed: ['Senaste sigillpunkt', 'Last checkpoint'],
  disk: ['Ledig disk', 'Free disk'],
  up: ['I drift', 'Running for'],
  open: ['Öppna incidenter', 'Open incidents'],
  none: ['Inga öppna incidenter. Vakan fortsätter.', 'No open incidents. The watch goes on.'],
  first: ['Det viktigaste först', 'What matters most'],
  all: ['Hela kön', 'The whole queue'],
  since: ['Sedan du tittade senast', 'Since you last looked'],
  fresh: ['{n} {n|ny incident|nya incidenter}', '{n} new {n|incident|incidents}'],
  changed: ['{n} {n|ändrad|ändrade}', '{n} changed'],
  nothing: ['Inget nytt.', 'Nothing new.'],
  seen: ['Jag har sett det', 'I have seen it'],
  noRight: [
    'Ditt konto ser inte incidenter. Det sköter konton och inställningar.',
    'Your account does not see incidents. It manages accounts and settings.'
  ]
})

function Watch() {
  const list = findings.value
  const is = askedAt.value || list.length ? worst(list) : 'unknown'
  const title = is === 'well' ? t('awake') : t(is)
  return (
    <section class={`panel vigil ${is}`} aria-labelledby="vigil">
      <header>
        <h2 id="vigil">
          <Lamp is={is} /> {title}
        </h2>
        {askedAt.value > 0 && (
          <span class="quiet small">
            {t('asked', { time: formatTime(new Date(askedAt.value), 'clock') })}
          </span>
        )}
      </header>
      {list.length > 0 && (
        <ul class="vigil-list">
          {list.map((f) => (
            <li key={f.key}>
              <Lamp is={f.is} /> {findingText(f)}
            </li>
          ))}
        </ul>
      )}
      <Figures />
    </section>
  )
}

type Said = Record<string, unknown> | null | undefined

type Reached = NonNullable<NonNullable<Schema<'Awake'>['proof']>['reached']>

// "anna, sms, 10:00"
const reachedText = ({ person, channel, at }: Reached) =>
  [person, channel, formatTime(new Date(at), 'short')].filter(Boolean).join(', ')

function Figures() {
  const p = status.value?.processes
  if (!p) return null
  const of = (process: string, member: string) => Number((p[process] as Said)?.[member] ?? 0)
  const signed = of('seal', 'signed_at')
  const proven = awake.value?.proven_at
  const reached = awake.value?.proof?.reached
  const figures: [string, string][] = [
    [t('proven'), proven ? formatTime(new Date(proven), 'clock') : '–'],
    ...(reached ? [[t('reached'), reachedText(reached)] as [string, string]] : []),
    [t('records'), formatNumber(of('store', 'next'))],
    [t('lag'), formatSpan(of('detect', 'lag_s'))],
    [t('sources'), formatNumber(of('triage', 'sources_watched') - of('triage', 'sources_silent'))],
    [t('rules'), formatNumber(of('detect', 'rules') + of('detect', 'correlations'))],
    [t('signed'), signed ? formatTime(new Date(signed * 1000), 'clock') : '–'],
    [t('disk'), formatBytes(of('store', 'disk_free'))],
    [t('up'), formatSpan(of('store', 'up_s'))]
  ]
  return (
    <dl class="figures">
      {figures.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

function Counts({ counts }: { counts: Schema<'Queue'> }) {
  return (
    <ul class="counts">
      {LEVELS.map((level) => (
        <li key={level} class={`${level} ${counts.open[level] ? 'some' : ''}`}>
          <a href={queueUrl({ level })}>
            <span class="count">{formatNumber(counts.open[level])}</span>
            <span>{levelName(level)}</span>
          </a>
        </li>
      ))}
    </ul>
  )
}

// How far somebody had looked is remembered by the browser, for each who uses it.
const SEEN = () => `vaka.seen.${me.value}`
interface Seen {
  changed: number
  at: number
}
function readSeen(): Seen {
  try {
    return JSON.parse(localStorage.getItem(SEEN()) ?? '') as Seen
  } catch {
    return { changed: 0, at: 0 }
  }
}

function Since({ incidents }: { incidents: Incident[] }) {
  const seen = useSignal(readSeen())
  const changed = incidents.filter((i) => i.changed > seen.value.changed)
  const isFresh = (i: Incident) => Date.parse(i.detected ?? '') > seen.value.at
  const fresh = changed.filter(isFresh).length
  const rest = changed.length - fresh
  const sum = [fresh > 0 && t('fresh', { n: fresh }), rest > 0 && t('changed', { n: rest })]
  const mark = () => {
    const last = Math.max(seen.value.changed, ...incidents.map((i) => i.changed))
    seen.value = { changed: last, at: Date.now() }
    localStorage.setItem(SEEN(), JSON.stringify(seen.value))
  }
  return (
    <section class="panel since" aria-labelledby="since">
      <header>
        <h2 id="since">{t('since')}</h2>
        {seen.value.at > 0 && <Time at={new Date(seen.value.at).toISOString()} />}
      </header>
      {changed.length === 0 ? (
        <p class="quiet">{t('nothing')}</p>
      ) : (
        <p class="line-marks">
          {sum.filter(Boolean).join(', ')}
          <button type="button" class="button" onClick={mark}>
            {t('seen')}
          </button>
        </p>
      )}
    </section>
  )
}

function Line({ incident: i }: { incident: Incident }) {
  const [head, rest] = plainOf(i)
  return (
    <li class="line">
      <span class="line-marks">
        <Severity level={i.level} />
        <StateTag state={i.state} />
      </span>
      <a href={incidentUrl(i.id)}>{head}</a>
      {rest && <span class="quiet">{rest}</span>}
      <span class="quiet small">
        #{i.id} · <Time at={i.last_activity ?? i.detected} />
        {i.assignee && ` · ${i.assignee}`}
      </span>
    </li>
  )
}

function Open() {
  const counts = useLoad('counts', (signal) => get('/queue', { signal }))
  const first = useLoad('first', (signal) => get('/incidents', { query: { limit: 50 }, signal }))
  const refresh = () => {
    counts.reload()
    first.reload()
  }
  useEffect(() => {
    let waits: ReturnType<typeof setTimeout> | undefined
    const stop = listen(() => {
      clearTimeout(waits)
      waits = setTimeout(refresh, 500)
    })
    return () => {
      clearTimeout(waits)
      stop()
    }
  }, [])
  return (
    <>
      <section class="panel" aria-labelledby="open">
        <header>
          <h2 id="open">{t('open')}</h2>
          <a href={queueUrl()}>{t('all')}</a>
        </header>
        <Show of={counts}>{(c) => <Counts counts={c} />}</Show>
      </section>
      <Show of={first}>
        {({ incidents }) => (
          <>
            <Since incidents={incidents} />
            <section class="panel" aria-labelledby="first">
              <h2 id="first">{t('first')}</h2>
              {incidents.length === 0 && <Empty>{t('none')}</Empty>}
              <ol class="lines">
                {incidents.slice(0, 7).map((i) => (
                  <Line key={i.id} incident={i} />
                ))}
              </ol>
            </section>
          </>
        )}
      </Show>
    </>
  )
}

export default function Now() {
  return (
    <Page title={t('title')}>
      <div class="now">
        {may('incidents.read') ? <Open /> : <p class="quiet">{t('noRight')}</p>}
        <div class="now-side">
          {may('status.read') && <Watch />}
          {may('oncall.read') && <OnCall />}
        </div>
      </div>
    </Page>
  )
}
