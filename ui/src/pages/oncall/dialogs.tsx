// SPDX-License-Identifier: EUPL-1.2
// Changes of who is on call. What would break a rule of rest is told before it is saved, and is saved
// only with a reason.
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { Problem } from '../../lib/api'
import { formatTime, formatWall, parseWall } from '../../lib/format'
import { type Change, changeOncall, type Person, type Shift, type Team } from '../../lib/oncall'
import { texts } from '../../lib/text'
import { toast } from '../../lib/toasts'
import { AskDialog } from '../../parts/dialog'
import { Check, Select, TextField } from '../../parts/field'
import { Note } from '../../parts/states'

const t = texts({
  override: ['Tillfälligt byte', 'Override'],
  overrideText: [
    'Någon annan har beredskapen under tiden.',
    'Somebody else is on call for the time.'
  ],
  swap: ['Byt pass', 'Swap shifts'],
  swapText: ['Två pass byter innehavare.', 'Two shifts exchange their holders.'],
  absence: ['Frånvaro', 'Absence'],
  absenceText: [
    'Den som är borta hoppas över: nästa i ordningen tar passet.',
    'Who is away is passed over: the next one in the order has the shift.'
  ],
  drop: ['Ta tillbaka ändringen?', 'Take the change back?'],
  dropText: ['Schemat blir som det var.', 'The schedule becomes what it was.'],
  disturbance: ['Störning under beredskap', 'Disturbance on call'],
  disturbanceText: [
    'När arbetet började och slutade. Vila att återlämna räknas ut.',
    'When work began and ended. Rest that is owed is worked out.'
  ],
  person: ['Vem', 'Who'],
  from: ['Från', 'From'],
  until: ['Till', 'Until'],
  with: ['Mot passet', 'For the shift'],
  moment: ['Skriv som 2026-12-24 08:00', 'Write it like 2026-12-24 08:00'],
  why: ['Skäl', 'Reason'],
  save: ['Spara', 'Save'],
  back: ['Ta tillbaka', 'Take back'],
  breach: ['Det här bryter mot vilan:', 'This breaks rules of rest:'],
  force: ['Spara ändå, med ett skäl', 'Save it anyway, with a reason'],
  saved: ['Sparat. De det gäller får veta.', 'Saved. Those it is about are told.'],
  span: ['{who}: {from} – {until}', '{who}: {from} – {until}']
})

const momentOf = (text: string) => parseWall(text)?.toISOString() ?? ''

interface MomentProps {
  label: string
  value: string
  onValue: (value: string) => void
}

const MomentField = (p: MomentProps) => (
  <TextField {...p} short required wrong={parseWall(p.value) ? undefined : t('moment')} />
)

interface SaveProps {
  title: string
  text: string
  action?: string
  onClose: () => void
  onDone: () => void
  change: (more: { why?: string; force?: boolean }) => Change
  children?: ComponentChildren
}

function SaveDialog({ title, text, action, onClose, onDone, change, children }: SaveProps) {
  const why = useSignal('')
  const breach = useSignal('')
  const force = useSignal(false)
  const save = async () => {
    try {
      await changeOncall(
        change({ ...(why.value && { why: why.value }), ...(force.value && { force: true }) })
      )
    } catch (problem) {
      if (problem instanceof Problem && problem.status === 409) breach.value = problem.message
      throw problem
    }
    toast(t('saved'))
    onDone()
  }
  return (
    <AskDialog title={title} action={action ?? t('save')} onClose={onClose} onDone={save}>
      <p>{text}</p>
      {children}
      <TextField
        label={t('why')}
        value={why.value}
        required={force.value}
        onValue={(v) => (why.value = v)}
      />
      {breach.value && (
        <Note kind="attention">
          <p>
            <strong>{t('breach')}</strong> {breach.value}
          </p>
          <Check label={t('force')} value={force.value} onValue={(on) => (force.value = on)} />
        </Note>
      )}
    </AskDialog>
  )
}

export interface DialogProps {
  people: Person[]
  onClose: () => void
  onDone: () => void
}

const PersonSelect = ({
  people,
  value,
  onValue
}: {
  people: Person[]
  value: string
  onValue: (v: string) => void
}) => (
  <Select
    label={t('person')}
    value={value}
    options={people.map((p) => ({ value: p.person, text: p.shown }))}
    onValue={onValue}
  />
)

interface ShiftProps extends DialogProps {
  team: Team
  shift: Shift
}

const WEEK = 7 * 86_400_000
const endOf = (shift: Shift) => shift.until ?? new Date(Date.parse(shift.from) + WEEK).toISOString()

export function OverrideDialog({ people, team, shift, onClose, onDone }: ShiftProps) {
  const others = people.filter((p) => p.person !== shift.person)
  const person = useSignal(others[0]?.person ?? '')
  const from = useSignal(formatWall(new Date(shift.from)))
  const until = useSignal(formatWall(new Date(endOf(shift))))
  return (
    <SaveDialog
      title={`${t('override')}: ${team.name}`}
      text={t('overrideText')}
      onClose={onClose}
      onDone={onDone}
      change={(more) => ({
        kind: 'override',
        body: {
          team: team.team,
          person: person.value,
          from: momentOf(from.value),
          until: momentOf(until.value),
          ...more
        }
      })}
    >
      <PersonSelect people={others} value={person.value} onValue={(v) => (person.value = v)} />
      <MomentField label={t('from')} value={from.value} onValue={(v) => (from.value = v)} />
      <MomentField label={t('until')} value={until.value} onValue={(v) => (until.value = v)} />
    </SaveDialog>
  )
}

const spanText = (shift: Shift) =>
  t('span', {
    who: shift.shown ?? shift.person ?? '–',
    from: formatTime(new Date(shift.from)),
    until: formatTime(new Date(endOf(shift)))
  })

export function SwapDialog({ team, shift, onClose, onDone }: ShiftProps) {
  const others = team.shifts.filter(
    (s) => s.person && s.person !== shift.person && s.from !== shift.from
  )
  const other = useSignal(others[0]?.from ?? '')
  return (
    <SaveDialog
      title={`${t('swap')}: ${spanText(shift)}`}
      text={t('swapText')}
      onClose={onClose}
      onDone={onDone}
      change={(more) => {
        const found = others.find((s) => s.from === other.value) ?? shift
        return {
          kind: 'swap',
          body: {
            team: team.team,
            person: shift.person ?? '',
            from: shift.from,
            until: endOf(shift),
            with: found.person ?? '',
            with_from: found.from,
            with_until: endOf(found),
            ...more
          }
        }
      }}
    >
      <Select
        label={t('with')}
        value={other.value}
        options={others.map((s) => ({ value: s.from, text: spanText(s) }))}
        onValue={(v) => (other.value = v)}
      />
    </SaveDialog>
  )
}

const HOUR = 3_600_000
const soon = (hours: number) =>
  formatWall(new Date(Math.ceil(Date.now() / HOUR) * HOUR + hours * HOUR))

interface SpanDialogProps extends DialogProps {
  kind: 'absence' | 'disturbance'
}

export function SpanDialog({ kind, people, onClose, onDone }: SpanDialogProps) {
  const person = useSignal(people[0]?.person ?? '')
  const from = useSignal(soon(kind === 'absence' ? 0 : -3))
  const until = useSignal(soon(kind === 'absence' ? 24 : -1))
  return (
    <SaveDialog
      title={t(kind)}
      text={t(`${kind}Text`)}
      onClose={onClose}
      onDone={onDone}
      change={(more) => ({
        kind,
        body: {
          person: person.value,
          from: momentOf(from.value),
          until: momentOf(until.value),
          ...more
        }
      })}
    >
      <PersonSelect people={people} value={person.value} onValue={(v) => (person.value = v)} />
      <MomentField label={t('from')} value={from.value} onValue={(v) => (from.value = v)} />
      <MomentField label={t('until')} value={until.value} onValue={(v) => (until.value = v)} />
    </SaveDialog>
  )
}

export function DropDialog({
  change,
  onClose,
  onDone
}: Omit<DialogProps, 'people'> & { change: number }) {
  return (
    <SaveDialog
      title={t('drop')}
      text={t('dropText')}
      action={t('back')}
      onClose={onClose}
      onDone={onDone}
      change={(more) => ({ kind: 'drop', body: { change, ...more } })}
    />
  )
}
