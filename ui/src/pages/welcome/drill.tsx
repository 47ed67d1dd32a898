// SPDX-License-Identifier: EUPL-1.2
// A recorded attack that goes the way of all records, marked as an exercise, and how long it took until
// Vaka and people had it.
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { get, post, type Schema } from '../../lib/api'
import { drillText } from '../../lib/drills'
import { formatSpan } from '../../lib/format'
import { incidentUrl } from '../../lib/links'
import { useLoad } from '../../lib/load'
import { may } from '../../lib/session'
import { texts } from '../../lib/text'
import { toastProblem } from '../../lib/toasts'
import { Select } from '../../parts/field'
import { Note, Show } from '../../parts/states'

const t = texts({
  why: [
    'En inspelad attack skickas samma väg som alla loggposter, märkt som övning. Den som har beredskap larmas på riktigt.',
    'A recorded attack goes the way of all records, marked as an exercise. Whoever is on call is really paged.'
  ],
  none: ['Inga inspelningar finns i {folder}.', 'There are no recordings in {folder}.'],
  off: ['Övningar är avstängda.', 'Drills are switched off.'],
  which: ['Inspelning', 'Recording'],
  begin: ['Börja övningen', 'Begin the drill'],
  stop: ['Avbryt övningen', 'End the drill'],
  running: ['{what}: {sent} av {all} loggposter skickade', '{what}: {sent} of {all} records sent'],
  over: ['{what} är över.', '{what} is over.'],
  ended: ['{what} tog slut: {why}', '{what} ended: {why}'],
  after: ['efter {span}', 'after {span}'],
  notYet: ['inte än', 'not yet'],
  detected: ['Upptäckt', 'Detected'],
  paged: ['Larmade', 'Paged'],
  acknowledged: ['Kvitterad', 'Acknowledged'],
  contained: ['Hejdad', 'Contained'],
  incidents: ['Incidenter', 'Incidents']
})

const ASK_EVERY = 2000 // ms
const USUAL = 'julnatt' // where it is there, as for drill.scenario
const SPEED = 60 // times as fast as it was recorded

type Run = Schema<'DrillRun'>

const MILESTONES = ['detected', 'paged', 'acknowledged', 'contained'] as const

// By the clock of the recording.
function Result({ run, round }: { run: Run; round: number }) {
  const found = useLoad(`drill ${run.id} ${round}`, (signal) =>
    get('/drills/{drill}', { path: { drill: String(run.id) }, signal })
  )
  const drill = found.value
  if (!drill) return null
  return (
    <dl class="facts">
      {MILESTONES.map((name) => (
        <>
          <dt key={`${name} name`}>{t(name)}</dt>
          <dd key={`${name} when`}>
            {drill[name] ? t('after', { span: formatSpan(drill[name].after_s) }) : t('notYet')}
          </dd>
        </>
      ))}
      {drill.incidents.length > 0 && (
        <>
          <dt>{t('incidents')}</dt>
          <dd>
            {drill.incidents.map((incident) => {
              const { id } = incident as unknown as { id: number }
              return (
                <a key={id} class="apart" href={incidentUrl(id)}>
                  #{id}
                </a>
              )
            })}
          </dd>
        </>
      )}
    </dl>
  )
}

function said(run: Run, running: boolean): string {
  if (running) return t('running', { what: run.scenario, sent: run.sent, all: run.records })
  return run.why
    ? t('ended', { what: run.scenario, why: run.why })
    : t('over', { what: run.scenario })
}

export function FirstDrill() {
  const chosen = useSignal('')
  const round = useSignal(0)
  const list = useLoad('drills', (signal) => get('/drills', { signal }))
  const { reload } = list
  useEffect(() => {
    const timer = setInterval(() => {
      round.value++
      reload()
    }, ASK_EVERY)
    return () => clearInterval(timer)
  }, [reload])
  return (
    <>
      <p class="quiet">{t('why')}</p>
      <Show of={list}>
        {({ drills }) => {
          if (!drills) return <Note>{t('off')}</Note>
          if (drills.scenarios.length === 0)
            return <Note>{t('none', { folder: drills.folder })}</Note>
          const usual = drills.scenarios.find((name) => name === USUAL)
          const scenario = chosen.value || usual || (drills.scenarios[0] ?? '')
          const last = drills.runs.reduce<Run | undefined>(
            (a, b) => (a && a.id > b.id ? a : b),
            undefined
          )
          const begin = () =>
            post('/drills', { body: { scenario, speed: SPEED } }).then(reload, toastProblem)
          const stop = () => post('/drills/stop').then(reload, toastProblem)
          return (
            <>
              <Select
                label={t('which')}
                value={scenario}
                options={drills.scenarios.map((value) => ({
                  value,
                  text: drillText(drills, value)
                }))}
                onValue={(v) => (chosen.value = v)}
              />
              <div class="buttons">
                {drills.running ? (
                  <button type="button" class="button" onClick={stop}>
                    {t('stop')}
                  </button>
                ) : (
                  <button type="button" class="button" onClick={begin}>
                    {t('begin')}
                  </button>
                )}
              </div>
              <div role="status">
                {last && (
                  <div class="note">
                    <p>
                      <strong>{said(last, drills.running)}</strong>
                    </p>
                    {may('incidents.read') && <Result run={last} round={round.value} />}
                  </div>
                )}
              </div>
            </>
          )
        }}
      </Show>
    </>
  )
}
