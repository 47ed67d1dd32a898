// SPDX-License-Identifier: EUPL-1.2
// Dialogs that ask for what an act on incidents needs. One note may be for many of them.
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { type ActName, act, type Incident } from '../lib/acts'
import { texts } from '../lib/text'
import { toast } from '../lib/toasts'
import { AskDialog } from './dialog'
import { Choices, TextArea } from './field'
import { DISPOSITIONS, type Disposition, dispositionName } from './marks'
import { Note } from './states'

const t = texts({
  close: ['Stäng {n} {n|incident|incidenter}', 'Close {n} {n|incident|incidents}'],
  closeDo: ['Stäng', 'Close'],
  how: ['Bedömning', 'Disposition'],
  why: ['Skäl', 'Reason'],
  whyHint: [
    'Står i loggen, och hjälper till att trimma regeln.',
    'Stands in the log, and helps to tune the rule.'
  ],
  closed: ['{n} {n|incident stängd|incidenter stängda}', '{n} {n|incident|incidents} closed'],
  question: [
    'Kan något av det här röra säkerhetsskydd?',
    'May any of this concern protective security (säkerhetsskydd)?'
  ],
  no: ['Nej', 'No'],
  yes: ['Ja, eller jag vet inte', 'Yes, or I do not know'],
  stop: [
    'Skriv ingenting här. Ta det med säkerhetsskyddschefen på en väg som är godkänd för det. Svaret sparas, och inga ord om incidenten tas emot.',
    'Write nothing here. Take it to the security protection officer by a way that is approved for it. The answer is kept, and no words about the incident are taken.'
  ],
  keep: ['Spara svaret', 'Keep the answer'],
  protected: [
    'Svaret är sparat. Skriv inget om den här.',
    'The answer is kept. Write nothing about this one.'
  ]
})

export const concernQuestion = () => t('question')

// undefined: not answered yet.
type Concern = boolean | undefined

// What may concern säkerhetsskydd is not written into this system: the question comes before the words.
function Gate({ value, onValue }: { value: Concern; onValue: (value: boolean) => void }) {
  return (
    <>
      <Choices
        label={t('question')}
        value={value === undefined ? '' : value ? 'yes' : 'no'}
        options={[
          { value: 'no', text: t('no') },
          { value: 'yes', text: t('yes') }
        ]}
        onValue={(answer) => onValue(answer === 'yes')}
      />
      {value && <Note kind="attention">{t('stop')}</Note>}
    </>
  )
}

const isAsked = (of: Incident[]) => of.some((i) => i.protected === null)

interface WordsProps {
  title: string
  action: string
  grave?: boolean
  of: Incident[]
  children: ComponentChildren
  onClose: () => void
  onDone: () => void
  // The act, with what was said about säkerhetsskydd beside it.
  run: (incident: Incident, said: { protected?: false }) => Promise<unknown>
}

// Anything that writes down words about incidents.
export function WordsDialog({ of, children, run, onDone, ...p }: WordsProps) {
  const concern = useSignal<Concern>(undefined)
  const asked = isAsked(of)
  const done = async () => {
    for (const incident of of) {
      if (concern.value) await act(incident, 'protect', { concerns: true })
      else await run(incident, asked ? { protected: false } : {})
    }
    if (concern.value) toast(t('protected'))
    onDone()
  }
  return (
    <AskDialog
      title={p.title}
      action={concern.value ? t('keep') : p.action}
      grave={p.grave ?? false}
      onDone={done}
      onClose={p.onClose}
    >
      {asked && <Gate value={concern.value} onValue={(v) => (concern.value = v)} />}
      {!concern.value && (!asked || concern.value === false) && children}
    </AskDialog>
  )
}

interface ManyProps {
  of: Incident[]
  onClose: () => void
  onDone: () => void
}

export function CloseDialog({ of, onClose, onDone }: ManyProps) {
  const disposition = useSignal('')
  const why = useSignal('')
  return (
    <WordsDialog
      title={t('close', { n: of.length })}
      action={t('closeDo')}
      of={of}
      onClose={onClose}
      onDone={() => {
        toast(t('closed', { n: of.length }))
        onDone()
      }}
      run={(incident, said) =>
        act(incident, 'close', { disposition: disposition.value, why: why.value, ...said })
      }
    >
      <Choices
        label={t('how')}
        value={disposition.value}
        options={DISPOSITIONS.map((d: Disposition) => ({ value: d, text: dispositionName(d) }))}
        onValue={(v) => (disposition.value = v)}
      />
      <TextArea
        label={t('why')}
        hint={t('whyHint')}
        value={why.value}
        onValue={(v) => (why.value = v)}
        required
      />
    </WordsDialog>
  )
}

interface TextProps extends ManyProps {
  name: ActName
  title: string
  action: string
  label: string
  hint?: string
  member: 'text' | 'why'
  body?: object
  start?: string
  done: string
}

// One text, and nothing else: a note, a task, a reason.
export function TextDialog({ name, member, body = {}, start = '', done, ...p }: TextProps) {
  const text = useSignal(start)
  return (
    <WordsDialog
      title={p.title}
      action={p.action}
      of={p.of}
      onClose={p.onClose}
      onDone={() => {
        toast(done)
        p.onDone()
      }}
      run={(incident, said) => act(incident, name, { ...body, [member]: text.value, ...said })}
    >
      <TextArea
        label={p.label}
        hint={p.hint}
        value={text.value}
        onValue={(v) => (text.value = v)}
        required
      />
    </WordsDialog>
  )
}
