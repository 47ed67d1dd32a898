// SPDX-License-Identifier: EUPL-1.2
// The clocks of the law: what has to be reported to whom, and how long there is. They begin when
// somebody says when the organisation became aware.
import { useSignal } from '@preact/signals'
import { act, type Incident } from '../../lib/acts'
import { formatSpan, formatTime, now } from '../../lib/format'
import { may } from '../../lib/session'
import { pick, texts } from '../../lib/text'
import { toast, toastProblem } from '../../lib/toasts'
import { WordsDialog } from '../../parts/acts'
import { Choices, TextArea, TextField } from '../../parts/field'
import { Lamp } from '../../parts/marks'

const t = texts({
  clocks: ['Rapportering enligt lag', 'Reporting by law'],
  begin: ['Vi vet om det sedan nu', 'We have been aware since now'],
  beginHint: [
    'Startar klockorna för upplysning och anmälan. Kan ångras.',
    'Starts the clocks of early warning and notification. Can be undone.'
  ],
  left: ['{span} kvar', '{span} left'],
  late: ['{span} för sent', '{span} late'],
  sent: ['skickad {time}', 'sent {time}'],
  due: ['senast {time}', 'due {time}'],
  report: ['Rapporterad …', 'Reported …'],
  reportTitle: ['Rapporterad: {what}', 'Reported: {what}'],
  reference: ['Diarienummer eller referens', 'Reference'],
  save: ['Spara', 'Save'],
  saved: ['Sparat', 'Saved'],
  judge: ['Bedöm …', 'Judge …'],
  significant: ['Betydande incident?', 'Significant incident?'],
  breach: ['Personuppgiftsincident?', 'Personal data breach?'],
  yes: ['Ja', 'Yes'],
  no: ['Nej', 'No'],
  open: ['inte bedömt', 'not judged'],
  why: ['Skäl', 'Reason']
})

type Clock = NonNullable<Incident['clocks']>[number]
interface Props {
  incident: Incident
  reload: () => void
}

function ReportDialog({
  incident,
  clock,
  onClose,
  reload
}: Props & { clock: Clock; onClose: () => void }) {
  const reference = useSignal('')
  return (
    <WordsDialog
      of={[incident]}
      title={t('reportTitle', { what: pick(clock) })}
      action={t('save')}
      onClose={onClose}
      onDone={() => {
        toast(t('saved'))
        reload()
      }}
      run={(i, said) =>
        act(i, 'report', { clock: clock.clock, reference: reference.value, ...said })
      }
    >
      <TextField
        label={t('reference')}
        value={reference.value}
        onValue={(v) => (reference.value = v)}
      />
    </WordsDialog>
  )
}

type Question = 'significant' | 'breach'
function JudgeDialog({
  incident,
  question,
  onClose,
  reload
}: Props & { question: Question; onClose: () => void }) {
  const answer = useSignal('')
  const why = useSignal('')
  return (
    <WordsDialog
      of={[incident]}
      title={t(question)}
      action={t('save')}
      onClose={onClose}
      onDone={() => {
        toast(t('saved'))
        reload()
      }}
      run={(i, said) =>
        act(i, question, { value: answer.value === 'yes', why: why.value, ...said })
      }
    >
      <Choices
        label={t(question)}
        value={answer.value}
        options={[
          { value: 'yes', text: t('yes') },
          { value: 'no', text: t('no') }
        ]}
        onValue={(v) => (answer.value = v)}
      />
      <TextArea label={t('why')} value={why.value} onValue={(v) => (why.value = v)} required />
    </WordsDialog>
  )
}

function ClockLine({ clock, onReport }: { clock: Clock; onReport: () => void }) {
  const due = new Date(clock.due)
  const left = (due.getTime() - now.value) / 1000
  const is = clock.sent ? 'well' : left < 0 ? 'bad' : left < 6 * 3600 ? 'attention' : 'unknown'
  return (
    <li class="clock-line">
      <Lamp is={is} />
      <span>
        {pick(clock)}{' '}
        <span class="quiet small">
          {clock.law}, {t('due', { time: formatTime(due) })}
        </span>
      </span>
      {clock.sent ? (
        <span>{t('sent', { time: formatTime(new Date(clock.sent)) })}</span>
      ) : (
        <strong>{t(left < 0 ? 'late' : 'left', { span: formatSpan(left) })}</strong>
      )}
      {!clock.sent && may('incidents.write') && (
        <button type="button" class="button" onClick={onReport}>
          {t('report')}
        </button>
      )}
    </li>
  )
}

export function Clocks({ incident: i, reload }: Props) {
  const reporting = useSignal<Clock | null>(null)
  const judging = useSignal<Question | null>(null)
  const write = may('incidents.write')
  const aware = async () => {
    await act(i, 'aware').catch(toastProblem)
    reload()
  }
  const said = (question: Question) => {
    const answer = i[question]
    return answer ? t(answer.value ? 'yes' : 'no') : t('open')
  }
  return (
    <details class="panel clocks" open={!!i.clocks?.length}>
      <summary>{t('clocks')}</summary>
      <div class="stack">
        {!i.aware && write && (
          <p>
            <button type="button" class="button" onClick={aware}>
              {t('begin')}
            </button>{' '}
            <span class="quiet small">{t('beginHint')}</span>
          </p>
        )}
        <ul class="plain-list">
          {i.clocks?.map((c) => (
            <ClockLine key={c.clock} clock={c} onReport={() => (reporting.value = c)} />
          ))}
        </ul>
        <dl class="facts">
          {(['significant', 'breach'] as const).map((q) => (
            <>
              <dt key={`${q} name`}>{t(q)}</dt>
              <dd key={`${q} value`}>
                {said(q)}{' '}
                {write && (
                  <button
                    type="button"
                    class="button bare"
                    aria-label={`${t('judge')} ${t(q)}`}
                    onClick={() => (judging.value = q)}
                  >
                    {t('judge')}
                  </button>
                )}
              </dd>
            </>
          ))}
        </dl>
      </div>
      {reporting.value && (
        <ReportDialog
          incident={i}
          clock={reporting.value}
          reload={reload}
          onClose={() => (reporting.value = null)}
        />
      )}
      {judging.value && (
        <JudgeDialog
          incident={i}
          question={judging.value}
          reload={reload}
          onClose={() => (judging.value = null)}
        />
      )}
    </details>
  )
}
