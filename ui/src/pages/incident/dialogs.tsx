// SPDX-License-Identifier: EUPL-1.2
import { useSignal } from '@preact/signals'
import { act, type Incident } from '../../lib/acts'
import { pick, texts } from '../../lib/text'
import { toast } from '../../lib/toasts'
import { WordsDialog } from '../../parts/acts'
import { AskDialog } from '../../parts/dialog'
import { TextArea, TextField } from '../../parts/field'

const t = texts({
  assign: ['Tilldela', 'Assign'],
  who: ['Till vem', 'To whom'],
  whoHint: ['Användarnamn. Tomt: till ingen.', 'User name. Empty: to nobody.'],
  assigned: ['Tilldelad', 'Assigned'],
  handover: ['Lämna över', 'Hand over'],
  note: ['Överlämning', 'Handover'],
  noteHint: [
    'Vad som hänt, vad som är gjort, vad som återstår, vem som väntar på svar.',
    'What happened, what was done, what remains, who waits for an answer.'
  ],
  template: [
    'Överlämning. Läge: {state}\nGjort:\nÅterstår: {tasks}\nVäntar på:\n',
    'Handover. State: {state}\nDone:\nRemaining: {tasks}\nWaiting for:\n'
  ],
  handed: ['Överlämnad till {who}', 'Handed over to {who}'],
  merge: ['Slå ihop', 'Merge'],
  with: ['Incident som blir en del av den här', 'Incident that becomes part of this one'],
  why: ['Skäl', 'Reason'],
  merged: ['Sammanslagna. Kan ångras i tidslinjen.', 'Merged. Can be undone in the timeline.']
})

interface Props {
  incident: Incident
  onClose: () => void
  onDone: () => void
}

export function AssignDialog({ incident, onClose, onDone }: Props) {
  const who = useSignal(incident.assignee ?? '')
  const done = async () => {
    await act(incident, 'assign', { to: who.value.trim() || null })
    toast(t('assigned'))
    onDone()
  }
  return (
    <AskDialog title={t('assign')} action={t('assign')} onClose={onClose} onDone={done}>
      <TextField
        label={t('who')}
        hint={t('whoHint')}
        value={who.value}
        onValue={(v) => (who.value = v)}
      />
    </AskDialog>
  )
}

function begin(incident: Incident): string {
  const open = incident.tasks?.filter((task) => !task.done).map((task) => task.text) ?? []
  return t('template', { state: pick(incident.plain), tasks: open.join('; ') || '–' })
}

export function HandoverDialog({ incident, onClose, onDone }: Props) {
  const who = useSignal('')
  const text = useSignal(begin(incident))
  return (
    <WordsDialog
      of={[incident]}
      title={t('handover')}
      action={t('handover')}
      onClose={onClose}
      onDone={() => {
        toast(t('handed', { who: who.value }))
        onDone()
      }}
      run={async (i, said) => {
        const noted = await act(i, 'note', { text: text.value, ...said })
        await act(noted, 'assign', { to: who.value.trim() })
      }}
    >
      <TextField label={t('who')} value={who.value} onValue={(v) => (who.value = v)} required />
      <TextArea
        label={t('note')}
        hint={t('noteHint')}
        rows={8}
        value={text.value}
        onValue={(v) => (text.value = v)}
        required
      />
    </WordsDialog>
  )
}

export function MergeDialog({ incident, onClose, onDone }: Props) {
  const other = useSignal('')
  const why = useSignal('')
  return (
    <WordsDialog
      of={[incident]}
      title={t('merge')}
      action={t('merge')}
      onClose={onClose}
      onDone={() => {
        toast(t('merged'))
        onDone()
      }}
      run={(i, said) =>
        act(i, 'merge', { with: Number(other.value.replace('#', '')), why: why.value, ...said })
      }
    >
      <TextField
        label={t('with')}
        short
        inputMode="numeric"
        value={other.value}
        onValue={(v) => (other.value = v)}
        required
      />
      <TextArea label={t('why')} value={why.value} onValue={(v) => (why.value = v)} required />
    </WordsDialog>
  )
}
