// SPDX-License-Identifier: EUPL-1.2
// Recorded attacks that are sent through the watch: how the last ones went, and one more.
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { get, post, type Schema } from '../../lib/api'
import { drillText, type Drills as Told } from '../../lib/drills'
import { formatSpan, formatTime } from '../../lib/format'
import { useLoad } from '../../lib/load'
import { may } from '../../lib/session'
import { texts } from '../../lib/text'
import { toast, toastProblem } from '../../lib/toasts'
import { AskDialog } from '../../parts/dialog'
import { Choices } from '../../parts/field'
import { Time } from '../../parts/marks'
import { Show } from '../../parts/states'

const t = texts({
  drills: ['Övningar', 'Drills'],
  by: ['Av', 'By'],
  detected: ['Upptäckt', 'Detected'],
  paged: ['Larmat', 'Paged'],
  acknowledged: ['Kvitterat', 'Acknowledged'],
  contained: ['Hejdat', 'Contained'],
  after: ['efter {span}', 'after {span}'],
  notYet: ['inte', 'not'],
  noDrills: ['Ingen övning har gjorts.', 'There was no drill yet.'],
  planned: ['Nästa: {scenario}, {when}', 'Next: {scenario}, {when}'],
  begin: ['Öva nu …', 'Drill now …'],
  beginTitle: ['Börja en övning?', 'Begin a drill?'],
  beginText: [
    'Ett inspelat angrepp skickas genom vakan, märkt som övning. Den som har beredskap larmas på riktigt.',
    'A recorded attack is sent through the watch, marked as a drill. Whoever is on call is really paged.'
  ],
  scenario: ['Angrepp', 'Attack'],
  beginDo: ['Börja', 'Begin'],
  hasBegun: ['Övningen har börjat.', 'The drill has begun.'],
  end: ['Avbryt övningen', 'End the drill'],
  goesOn: ['En övning pågår.', 'A drill goes on.']
})

type Run = Schema<'DrillRun'>

const STEPS = ['detected', 'paged', 'acknowledged', 'contained'] as const
const SHOWN = 3
const AGAIN = 5000 // ms
const RECENT = 30 * 60_000 // who has it, and how it ended, may still come

function useAgain(on: boolean, reload: () => void) {
  useEffect(() => {
    if (!on) return
    const timer = setInterval(reload, AGAIN)
    return () => clearInterval(timer)
  }, [on])
}

// What one came to.
function Result({ run, drills }: { run: Run; drills: Told }) {
  const drill = useLoad(`drill ${run.id}`, (signal) =>
    get('/drills/{drill}', { path: { drill: String(run.id) }, signal })
  )
  useAgain(Date.now() - Date.parse(run.begun) < RECENT, drill.reload)
  return (
    <li>
      <p>
        <strong>{drillText(drills, run.scenario)}</strong> · <Time at={run.begun} />{' '}
        <span class="quiet small">
          {t('by')} {run.by}
        </span>
      </p>
      <Show of={drill}>
        {(so) => (
          <dl class="facts">
            {STEPS.map((step) => (
              <>
                <dt key={`${step} name`}>{t(step)}</dt>
                <dd key={step}>
                  {so[step] ? t('after', { span: formatSpan(so[step].after_s) }) : t('notYet')}
                </dd>
              </>
            ))}
          </dl>
        )}
      </Show>
    </li>
  )
}

interface BeginProps {
  drills: Told
  onClose: () => void
  onDone: () => void
}

function BeginDialog({ drills, onClose, onDone }: BeginProps) {
  const scenario = useSignal(drills.scenarios[0] ?? '')
  const begin = async () => {
    await post('/drills', { body: { scenario: scenario.value } })
    toast(t('hasBegun'))
    onDone()
  }
  return (
    <AskDialog title={t('beginTitle')} action={t('beginDo')} onClose={onClose} onDone={begin}>
      <p>{t('beginText')}</p>
      <Choices
        label={t('scenario')}
        value={scenario.value}
        options={drills.scenarios.map((name) => ({ value: name, text: drillText(drills, name) }))}
        onValue={(name) => (scenario.value = name)}
      />
    </AskDialog>
  )
}

export function Drills() {
  const page = useLoad('drills', async (signal) => (await get('/drills', { signal })).drills)
  const asking = useSignal(false)
  useAgain(true, page.reload)
  const stop = () =>
    post('/drills/stop').then(
      () => page.reload(),
      (error) => toastProblem(error)
    )
  const draw = (drills: Told) => (
    <div class="stack">
      {drills.runs.length === 0 && <p class="quiet">{t('noDrills')}</p>}
      {drills.runs.length > 0 && (
        <ul class="plain-list">
          {[...drills.runs]
            .sort((a, b) => b.begun.localeCompare(a.begun))
            .slice(0, SHOWN)
            .map((run) => (
              <Result key={run.id} run={run} drills={drills} />
            ))}
        </ul>
      )}
      {drills.planned && (
        <p>
          {t('planned', {
            scenario: drillText(drills, drills.planned_scenario ?? ''),
            when: formatTime(new Date(drills.planned))
          })}
        </p>
      )}
      {may('drills.run') && (
        <div class="buttons">
          {drills.running ? (
            <>
              <span role="status">{t('goesOn')}</span>
              <button type="button" class="button" onClick={stop}>
                {t('end')}
              </button>
            </>
          ) : (
            drills.scenarios.length > 0 && (
              <button type="button" class="button" onClick={() => (asking.value = true)}>
                {t('begin')}
              </button>
            )
          )}
        </div>
      )}
      {asking.value && (
        <BeginDialog drills={drills} onClose={() => (asking.value = false)} onDone={page.reload} />
      )}
    </div>
  )
  return (
    <section class="panel" aria-labelledby="drills">
      <h2 id="drills">{t('drills')}</h2>
      <Show of={page}>
        {(drills) => (drills ? draw(drills) : <p class="quiet">{t('noDrills')}</p>)}
      </Show>
    </section>
  )
}
