// SPDX-License-Identifier: EUPL-1.2
// For a screen on the wall: what is read from across the room, by who passes by. It keeps itself awake,
// and says so when what it shows is old.

import { Fragment } from 'preact'
import { useEffect } from 'preact/hooks'
import { useLocation } from 'preact-iso/router'
import { plainOf } from '../lib/acts'
import { get } from '../lib/api'
import { findingText } from '../lib/findings'
import { formatNumber, formatTime, now } from '../lib/format'
import { useKeys } from '../lib/keys'
import { useLoad } from '../lib/load'
import { may } from '../lib/session'
import { texts } from '../lib/text'
import { askedAt, findings, worst } from '../lib/watch'
import { Lamp, LEVELS, levelName, Severity, Time } from '../parts/marks'
import { OnCall } from '../parts/on_call'

const t = texts({
  title: ['Väggtavla', 'Wallboard'],
  awake: ['Vakan är vaken', 'The watch is awake'],
  unknown: ['Frågar vakan …', 'Asking the watch …'],
  old: ['Gammalt: hämtades {time}', 'Old: fetched at {time}'],
  open: ['Öppna incidenter', 'Open incidents'],
  new: ['{n} {n|okvitterad|okvitterade}', '{n} not acknowledged'],
  none: ['Inget öppet.', 'Nothing open.'],
  back: ['Tillbaka', 'Back']
})

const EVERY = 15_000
const OLD_AFTER = 60_000

export default function Wall() {
  const { route } = useLocation()
  const sees = may('incidents.read')
  const queue = useLoad(sees ? 'queue' : null, (signal) => get('/queue', { signal }))
  const list = useLoad(sees ? 'list' : null, (signal) =>
    get('/incidents', { query: { limit: 8 }, signal })
  )
  useEffect(() => {
    document.title = `${t('title')} – Vaka`
    const timer = setInterval(() => {
      queue.reload()
      list.reload()
    }, EVERY)
    return () => clearInterval(timer)
  }, [])
  useKeys([{ key: 'Escape', text: t('back'), run: () => route('/') }])
  const is = askedAt.value || findings.value.length ? worst(findings.value) : 'unknown'
  const old = askedAt.value > 0 && now.value - askedAt.value > OLD_AFTER
  return (
    <div class={`wall ${is}`}>
      <header>
        <h1>
          <Lamp is={is} />
          {is === 'unknown' && t('unknown')}
          {is === 'well' && t('awake')}
          <span>
            {findings.value.map((f, n, { length }) => (
              <Fragment key={f.key}>
                <span class="told">
                  {findingText(f)}
                  {n + 1 < length && ' ·'}
                </span>{' '}
              </Fragment>
            ))}
          </span>
        </h1>
        <p class="wall-clock">{formatTime(new Date(now.value))}</p>
        {old && (
          <p role="alert">{t('old', { time: formatTime(new Date(askedAt.value), 'clock') })}</p>
        )}
        <a class="button bare" href="/">
          {t('back')}
        </a>
      </header>
      <h2>{t('open')}</h2>
      {queue.value && (
        <ul class="counts">
          {LEVELS.map((level) => (
            <li key={level} class={`${level} ${queue.value?.new[level] ? 'some' : ''}`}>
              <span class="count">{formatNumber(queue.value?.open[level] ?? 0)}</span>
              <span>{levelName(level)}</span>
              <span class="quiet">{t('new', { n: queue.value?.new[level] ?? 0 })}</span>
            </li>
          ))}
        </ul>
      )}
      {may('oncall.read') && <OnCall />}
      {list.value?.incidents.length === 0 && <p class="empty">{t('none')}</p>}
      <ol class="lines">
        {list.value?.incidents.map((i) => (
          <li key={i.id} class="line">
            <Severity level={i.level} />
            <span>{plainOf(i)[0]}</span>
            <Time at={i.last_activity} show="ago" />
          </li>
        ))}
      </ol>
    </div>
  )
}
