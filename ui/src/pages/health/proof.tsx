// SPDX-License-Identifier: EUPL-1.2
// Whether what is kept is what came: the whole chain read again, and what is held whatever its age.
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { get, post, remove, type Schema } from '../../lib/api'
import { readLines } from '../../lib/find'
import { formatNumber } from '../../lib/format'
import { useLoad } from '../../lib/load'
import { untilSo } from '../../lib/rules'
import { may } from '../../lib/session'
import { texts } from '../../lib/text'
import { toast, toastProblem } from '../../lib/toasts'
import { AskDialog } from '../../parts/dialog'
import { TextArea, TextField } from '../../parts/field'
import { Lamp, Time } from '../../parts/marks'
import { Show } from '../../parts/states'
import { Table } from '../../parts/table'

const t = texts({
  proof: ['Kedjan', 'The chain'],
  intact: ['Hel', 'Intact'],
  unprovable: ['Kan inte bevisas', 'Cannot be proven'],
  damaged: ['Skadad', 'Damaged'],
  tampered: ['Manipulerad', 'Tampered'],
  verdict: [
    '{verdict}: {n} loggposter, {checkpoints} {checkpoints|sigillpunkt|sigillpunkter}',
    '{verdict}: {n} records, {checkpoints} {checkpoints|checkpoint|checkpoints}'
  ],
  never: ['Har inte prövats sedan start.', 'Was not checked since the start.'],
  when: ['Senast prövad', 'Last checked'],
  by: ['Av', 'By'],
  first: ['Först', 'First'],
  check: ['Pröva hela kedjan', 'Check the whole chain'],
  checking: ['Läser allt som sparas …', 'Reading all that is kept …'],
  stop: ['Stoppa', 'Stop'],
  failed: ['Prövningen avbröts: {why}', 'The check broke off: {why}'],
  elsewhere: [
    'vaka verify gör samma sak på en annan dator, som inte behöver lita på den här.',
    'vaka verify does the same on another computer, which need not trust this one.'
  ],
  holds: ['Bevarandekrav', 'Legal holds'],
  none: ['Inget hålls kvar: allt gallras efter sin tid.', 'Nothing is held: all goes at its time.'],
  range: ['Loggposter', 'Records'],
  rangeHint: [
    'Nummer från och med – till och med: 1200-3400. Utan slut: 1200-',
    'Numbers from – to: 1200-3400. Without an end: 1200-'
  ],
  why: ['Skäl', 'Reason'],
  since: ['Sedan', 'Since'],
  hold: ['Bevara …', 'Hold …'],
  holdTitle: ['Nytt bevarandekrav', 'New legal hold'],
  holdDo: ['Bevara', 'Hold'],
  held: ['Loggposterna bevaras.', 'The records are held.'],
  lift: ['Häv …', 'Lift …'],
  liftTitle: ['Häva bevarandekravet?', 'Lift the legal hold?'],
  liftText: [
    'Loggposterna gallras när deras tid är ute. Vem som hävde kravet och när står kvar.',
    'The records go when their time is over. Who lifted it and when stays written down.'
  ],
  liftDo: ['Häv', 'Lift'],
  lifted: ['Bevarandekravet är hävt.', 'The legal hold is lifted.']
})

type Verified = NonNullable<Schema<'Store'>['verified']>
type Line = Schema<'VerifyLine'>
type Verdict = NonNullable<Verified['verdict']>

const lampOf = (verdict: Verdict) =>
  verdict === 'intact' ? 'well' : verdict === 'unprovable' ? 'attention' : 'bad'

function LastVerdict({ of }: { of: Verified }) {
  const verdict = of.verdict ?? 'unprovable'
  return (
    <>
      <p class="lamped">
        <Lamp is={lampOf(verdict)} />{' '}
        <strong>
          {t('verdict', {
            verdict: t(verdict),
            n: formatNumber(of.size ?? 0),
            checkpoints: of.checkpoints ?? 0
          })}
        </strong>
      </p>
      <dl class="facts">
        <dt>{t('when')}</dt>
        <dd>
          <Time at={of.at} />
        </dd>
        <dt>{t('by')}</dt>
        <dd>{of.by}</dd>
        {of.first && (
          <>
            <dt>{t('first')}</dt>
            <dd lang="en" class="wrap">
              {of.first.what}
            </dd>
          </>
        )}
      </dl>
    </>
  )
}

interface ChainProps {
  verified: Verified | null
  onDone: () => void
}

export function Chain({ verified, onDone }: ChainProps) {
  const running = useSignal<AbortController | null>(null)
  useEffect(() => () => running.peek()?.abort(), [])
  const check = async () => {
    const stop = new AbortController()
    running.value = stop
    try {
      await readLines<Line>('/store/verify', {}, stop.signal, ({ end }) => {
        if (end?.how === 'failed') toast(t('failed', { why: end.detail ?? '–' }), true)
      })
      // What processes say of themselves is told up to a second later.
      await untilSo(async () => (await get('/store')).verified?.at !== verified?.at)
      onDone()
    } catch (problem) {
      if (!stop.signal.aborted) toastProblem(problem)
    }
    running.value = null
  }
  return (
    <section class="panel" aria-labelledby="chain">
      <h2 id="chain">{t('proof')}</h2>
      <div class="stack">
        {verified ? <LastVerdict of={verified} /> : <p class="quiet">{t('never')}</p>}
        <div class="buttons">
          {running.value ? (
            <button type="button" class="button" onClick={() => running.value?.abort()}>
              {t('stop')}
            </button>
          ) : (
            <button type="button" class="button" onClick={() => void check()}>
              {t('check')}
            </button>
          )}
          <span role="status">{running.value && t('checking')}</span>
        </div>
        <p class="quiet small">{t('elsewhere')}</p>
      </div>
    </section>
  )
}

function HoldDialog({ onClose, onDone }: { onClose: () => void; onDone: () => void }) {
  const range = useSignal('')
  const reason = useSignal('')
  const hold = async () => {
    await post('/holds', { body: { range: range.value.trim(), reason: reason.value } })
    toast(t('held'))
    onDone()
  }
  return (
    <AskDialog title={t('holdTitle')} action={t('holdDo')} onClose={onClose} onDone={hold}>
      <TextField
        label={t('range')}
        hint={t('rangeHint')}
        value={range.value}
        required
        onValue={(v) => (range.value = v)}
      />
      <TextArea
        label={t('why')}
        value={reason.value}
        required
        onValue={(v) => (reason.value = v)}
      />
    </AskDialog>
  )
}

export function Holds() {
  const page = useLoad('holds', (signal) => get('/holds', { signal }))
  const adding = useSignal(false)
  const lifting = useSignal<string | null>(null)
  const lift = async () => {
    await remove('/holds/{range}', { path: { range: String(lifting.value) } })
    toast(t('lifted'))
    page.reload()
  }
  return (
    <section class="panel" aria-labelledby="holds">
      <h2 id="holds">{t('holds')}</h2>
      <div class="stack">
        <Show of={page}>
          {({ holds }) =>
            holds.length === 0 ? (
              <p class="quiet">{t('none')}</p>
            ) : (
              <Table
                caption={t('holds')}
                rows={holds}
                id={(h) => `${h.range} ${h.time}`}
                columns={[
                  { name: t('range'), show: (h) => <span class="mono">{h.range}</span> },
                  { name: t('why'), class: 'what', show: (h) => h.reason },
                  { name: t('by'), show: (h) => h.by },
                  { name: t('since'), show: (h) => <Time at={h.time} show="at" /> },
                  {
                    name: '',
                    unseen: t('lift'),
                    show: (h) =>
                      may('holds.write') && (
                        <button
                          type="button"
                          class="button"
                          onClick={() => (lifting.value = h.range)}
                        >
                          {t('lift')}
                        </button>
                      )
                  }
                ]}
              />
            )
          }
        </Show>
        {may('holds.write') && (
          <div class="buttons">
            <button type="button" class="button" onClick={() => (adding.value = true)}>
              {t('hold')}
            </button>
          </div>
        )}
      </div>
      {adding.value && <HoldDialog onClose={() => (adding.value = false)} onDone={page.reload} />}
      {lifting.value && (
        <AskDialog
          title={t('liftTitle')}
          action={t('liftDo')}
          grave
          onClose={() => (lifting.value = null)}
          onDone={lift}
        >
          <p>{t('liftText')}</p>
        </AskDialog>
      )}
    </section>
  )
}
