// SPDX-License-Identifier: EUPL-1.2
// The plan as it is written, and another one in its place: what it would break is told before it is
// saved.
import { useSignal } from '@preact/signals'
import { get, Problem } from '../../lib/api'
import { formatTime } from '../../lib/format'
import { useLoad } from '../../lib/load'
import { may } from '../../lib/session'
import { texts } from '../../lib/text'
import { TextArea } from '../../parts/field'
import { Note, Show } from '../../parts/states'
import { SaveDialog } from './save'

const t = texts({
  made: ['Gäller sedan {when}, av {who}.', 'In force since {when}, by {who}.'],
  none: [
    'Det finns ingen plan än. Skriv en här, eller gå till första besöket, som börjar en åt dig.',
    'There is no plan yet. Write one here, or go to the first visit, which begins one for you.'
  ],
  first: ['Till första besöket', 'To the first visit'],
  change: ['Ändra planen', 'Change the plan'],
  text: ['Planen (YAML)', 'The plan (YAML)'],
  hint: [
    'Tas emot hel eller inte alls. Det som är fel sägs med sin rad.',
    'It is taken whole or not at all. What is wrong is told with its line.'
  ],
  save: ['Spara planen …', 'Save the plan …'],
  back: ['Avbryt', 'Cancel'],
  saveTitle: ['Spara planen', 'Save the plan'],
  saveText: [
    'Den nya planen gäller genast. De vars pass ändras får veta det.',
    'The new plan is in force at once. Those whose shifts change are told.'
  ]
})

interface EditProps {
  start: string
  onClose?: () => void
  onDone: () => void
}

function Edit({ start, onClose, onDone }: EditProps) {
  const text = useSignal(start)
  const saving = useSignal(false)
  return (
    <form
      class="stack plan-text"
      onSubmit={(event) => {
        event.preventDefault()
        saving.value = true
      }}
    >
      <TextArea
        label={t('text')}
        hint={t('hint')}
        rows={24}
        required
        value={text.value}
        onValue={(v) => (text.value = v)}
      />
      <div class="buttons">
        <button type="submit" class="button first" disabled={text.value === start}>
          {t('save')}
        </button>
        {onClose && (
          <button type="button" class="button" onClick={onClose}>
            {t('back')}
          </button>
        )}
      </div>
      {saving.value && (
        <SaveDialog
          title={t('saveTitle')}
          text={t('saveText')}
          onClose={() => (saving.value = false)}
          onDone={onDone}
          change={(more) => ({ kind: 'plan', body: { text: text.value, ...more } })}
        />
      )}
    </form>
  )
}

export function PlanView({ round, reload }: { round: number; reload: () => void }) {
  const editing = useSignal(false)
  const page = useLoad(`plan ${round}`, (signal) => get('/oncall/plan', { signal }))
  const write = may('config.write')
  const done = () => {
    editing.value = false
    reload()
  }
  if (page.error instanceof Problem && page.error.status === 404)
    return (
      <div class="stack">
        <Note>
          <p>{t('none')}</p>
          <a class="button" href="/welcome?step=oncall">
            {t('first')}
          </a>
        </Note>
        {write && <Edit start="" onDone={done} />}
      </div>
    )
  return (
    <Show of={page}>
      {({ text, made, actor }) => (
        <div class="stack">
          <p>{t('made', { when: formatTime(new Date(made)), who: actor })}</p>
          {editing.value ? (
            <Edit start={text} onClose={() => (editing.value = false)} onDone={done} />
          ) : (
            <>
              {write && (
                <div class="buttons">
                  <button type="button" class="button" onClick={() => (editing.value = true)}>
                    {t('change')}
                  </button>
                </div>
              )}
              {/* biome-ignore lint/a11y/noNoninteractiveTabindex: who has no mouse scrolls it */}
              <pre class="raw tall" tabIndex={0}>
                {text}
              </pre>
            </>
          )}
        </div>
      )}
    </Show>
  )
}
