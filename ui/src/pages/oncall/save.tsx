// SPDX-License-Identifier: EUPL-1.2
// Saves a change of who is on call. What would break a rule of rest is told before it is saved, all of
// it, and is saved only with a reason.
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { Problem, type Schema } from '../../lib/api'
import { type Change, changeOncall } from '../../lib/oncall'
import { pick, texts } from '../../lib/text'
import { toast } from '../../lib/toasts'
import { AskDialog } from '../../parts/dialog'
import { Check, TextField } from '../../parts/field'
import { Note } from '../../parts/states'

const t = texts({
  why: ['Skäl', 'Reason'],
  save: ['Spara', 'Save'],
  breach: [
    'Det här bryter mot vilan. Inget är sparat än.',
    'This breaks rules of rest. Nothing is saved yet.'
  ],
  more: ['och {n} till', 'and {n} more'],
  force: ['Spara ändå, med ett skäl', 'Save it anyway, with a reason'],
  saved: ['Sparat. De det gäller får veta.', 'Saved. Those it is about are told.']
})

type Breach = Schema<'OncallBreach'>
const SHOWN = 6

function Breaches({ breaches }: { breaches: Breach[] }) {
  return (
    <ul class="breaches">
      {breaches.slice(0, SHOWN).map((b) => (
        <li key={`${b.rule} ${b.person} ${b.from}`}>
          {pick(b)} <span class="quiet small">{b.law}</span>
        </li>
      ))}
      {breaches.length > SHOWN && <li>{t('more', { n: breaches.length - SHOWN })}</li>}
    </ul>
  )
}

interface SaveProps {
  title: string
  text: string
  action?: string
  reason?: string // that is proposed
  onClose: () => void
  onDone: () => void
  change: (more: { why?: string; force?: boolean }) => Change
  children?: ComponentChildren
}

export function SaveDialog({ title, text, action, onClose, onDone, change, ...p }: SaveProps) {
  const why = useSignal(p.reason ?? '')
  const breaches = useSignal<Breach[] | null>(null)
  const force = useSignal(false)
  const save = async () => {
    try {
      await changeOncall(
        change({ ...(why.value && { why: why.value }), ...(force.value && { force: true }) })
      )
    } catch (problem) {
      if (!(problem instanceof Problem && problem.said.breaches)) throw problem
      breaches.value = problem.said.breaches
      return false
    }
    toast(t('saved'))
    onDone()
    return true
  }
  return (
    <AskDialog title={title} action={action ?? t('save')} onClose={onClose} onDone={save}>
      <p>{text}</p>
      {p.children}
      <TextField
        label={t('why')}
        value={why.value}
        required={force.value}
        onValue={(v) => (why.value = v)}
      />
      {breaches.value && (
        <Note kind="attention">
          <p>
            <strong>{t('breach')}</strong>
          </p>
          <Breaches breaches={breaches.value} />
          <Check label={t('force')} value={force.value} onValue={(on) => (force.value = on)} />
        </Note>
      )}
    </AskDialog>
  )
}
