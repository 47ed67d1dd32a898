// SPDX-License-Identifier: EUPL-1.2
// What is asked for a change of who is on call.
import { useSignal } from '@preact/signals'
import { formatTime, formatWall, parseWall } from '../../lib/format'
import type { Person, Shift, Team } from '../../lib/oncall'
import { texts } from '../../lib/text'
import { Select, TextField } from '../../parts/field'
import { SaveDialog } from './save'

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
    'Whoever is away is passed over: the next one in the order has the shift.'
  ],
  drop: ['Ta tillbaka ändringen?', 'Take the change back?'],
  dropText: ['Schemat blir som det var.', 'The schedule becomes what it was.'],
  disturbance: ['Störning under beredskap', 'Disturbance on call'],
  disturbanceText: [
    'När arbetet började och slutade. Vila att återlämna räknas ut.',
    'When work began and ended. Rest that is owed is worked out.'
  ],
  temporary: ['Tillfälligt schema', 'Temporary schedule'],
  temporaryText: [
    'Passen ersätter gruppens turordning så länge de varar. Vad de lämnar öppet är ett glapp.',
    'The shifts replace the rotations of the team while they last. What they leave open is a gap.'
  ],
  team: ['Grupp', 'Team'],
  shift: ['Pass {n}', 'Shift {n}'],
  addShift: ['Ett pass till', 'One more shift'],
  remove: ['Ta bort', 'Remove'],
  removeOne: ['Ta bort pass {n}', 'Remove shift {n}'],
  person: ['Vem', 'Who'],
  from: ['Från', 'From'],
  until: ['Till', 'Until'],
  with: ['Mot passet', 'For the shift'],
  moment: ['Skriv som 2026-12-24 08:00', 'Write it like 2026-12-24 08:00'],
  back: ['Ta tillbaka', 'Take back'],
  span: ['{who}, {from} till {until}', '{who}, {from} to {until}']
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

const MINUTE = 60_000
const DAY = 86_400_000
const WEEK = 7 * DAY
const endOf = (shift: Shift) => shift.until ?? new Date(Date.parse(shift.from) + WEEK).toISOString()

function OverrideDialog({ people, team, shift, onClose, onDone }: ShiftProps) {
  const others = people.filter((p) => p.person !== shift.person)
  const person = useSignal(others[0]?.person ?? '')
  const soonest = Math.ceil(Date.now() / MINUTE) * MINUTE
  const from = useSignal(formatWall(new Date(Math.max(Date.parse(shift.from), soonest))))
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

// The days say which one it is, where it is not one of several in a day.
function spanText(shift: Shift): string {
  const [from, until] = [new Date(shift.from), new Date(endOf(shift))]
  const days = until.getTime() - from.getTime() >= DAY
  return t('span', {
    who: shift.shown ?? shift.person ?? '–',
    from: formatTime(from, days ? 'date' : 'short'),
    until: formatTime(until, days ? 'date' : 'minute')
  })
}

function SwapDialog({ team, shift, onClose, onDone }: ShiftProps) {
  const others = team.shifts.filter(
    (s) =>
      s.person &&
      s.person !== shift.person &&
      s.from !== shift.from &&
      Date.parse(endOf(s)) > Date.now()
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

export const ShiftDialog = (p: ShiftProps & { act: 'override' | 'swap' }) =>
  p.act === 'swap' ? <SwapDialog {...p} /> : <OverrideDialog {...p} />

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

interface Row {
  person: string
  from: string
  until: string
}

// A turn of a week for each, from that time on.
function propose(people: Person[], from: number, weeks: number): Row[] {
  return Array.from({ length: weeks }, (_, n) => ({
    person: people[n % people.length]?.person ?? '',
    from: formatWall(new Date(from + n * WEEK)),
    until: formatWall(new Date(from + (n + 1) * WEEK))
  }))
}

const nextMonday = () => {
  const day = new Date(`${soon(0).slice(0, 10)}T12:00Z`)
  day.setUTCDate(day.getUTCDate() + ((8 - day.getUTCDay()) % 7 || 7))
  return parseWall(`${day.toISOString().slice(0, 10)} 08:00`)?.getTime() ?? Date.now()
}

export function TemporaryDialog({
  people,
  teams,
  onClose,
  onDone
}: DialogProps & { teams: Team[] }) {
  const team = useSignal(teams[0]?.team ?? '')
  const rows = useSignal(propose(people, nextMonday(), 2))
  const change = (n: number, of: Partial<Row>) => {
    rows.value = rows.value.map((row, at) => (at === n ? { ...row, ...of } : row))
  }
  const more = () => {
    const last = rows.value.at(-1)
    const from = parseWall(last?.until ?? '')?.getTime() ?? nextMonday()
    rows.value = [...rows.value, ...propose(people, from, 1)]
  }
  return (
    <SaveDialog
      title={t('temporary')}
      text={t('temporaryText')}
      onClose={onClose}
      onDone={onDone}
      change={(said) => {
        const shifts = rows.value.map((row) => ({
          person: row.person,
          from: momentOf(row.from),
          until: momentOf(row.until)
        }))
        const sorted = [...shifts].sort((a, b) => (a.from < b.from ? -1 : 1))
        const until = shifts.reduce((last, { until }) => (until > last ? until : last), '')
        return {
          kind: 'temporary',
          body: { team: team.value, from: sorted[0]?.from ?? '', until, shifts: sorted, ...said }
        }
      }}
    >
      <Select
        label={t('team')}
        value={team.value}
        options={teams.map((x) => ({ value: x.team, text: x.name }))}
        onValue={(v) => (team.value = v)}
      />
      {rows.value.map((row, n) => (
        <fieldset key={n} class="shift-row">
          <legend>{t('shift', { n: n + 1 })}</legend>
          <PersonSelect
            people={people}
            value={row.person}
            onValue={(person) => change(n, { person })}
          />
          <MomentField label={t('from')} value={row.from} onValue={(from) => change(n, { from })} />
          <MomentField
            label={t('until')}
            value={row.until}
            onValue={(until) => change(n, { until })}
          />
          {rows.value.length > 1 && (
            <button
              type="button"
              class="button"
              aria-label={t('removeOne', { n: n + 1 })}
              onClick={() => (rows.value = rows.value.filter((_, at) => at !== n))}
            >
              {t('remove')}
            </button>
          )}
        </fieldset>
      ))}
      <div class="buttons">
        <button type="button" class="button" onClick={more}>
          {t('addShift')}
        </button>
      </div>
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
