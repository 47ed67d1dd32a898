// SPDX-License-Identifier: EUPL-1.2
// The schedule as lanes, the final one last and boldest, with a list of its shifts below: each can be
// changed where it stands.
import { compare, formatTime, now } from '../../lib/format'
import type { Schedule, Shift, Team } from '../../lib/oncall'
import { may } from '../../lib/session'
import { pick, texts } from '../../lib/text'
import { Time } from '../../parts/marks'
import { Menu } from '../../parts/menu'
import { Table } from '../../parts/table'

const t = texts({
  final: ['Gäller', 'In force'],
  lane: ['Led', 'Lane'],
  shadow: ['lär sig', 'learning'],
  nobody: ['ingen', 'nobody'],
  changed: ['ändrat', 'changed'],
  planned: ['i stället för {who}', 'instead of {who}'],
  shifts: ['Pass', 'Shifts'],
  who: ['Vem', 'Who'],
  from: ['Från', 'From'],
  until: ['Till', 'Until'],
  before: ['tidigare', 'earlier'],
  behind: ['senare', 'later'],
  change: ['Ändra', 'Change'],
  changeOne: ['Ändra passet {from}, {who}', 'Change the shift {from}, {who}'],
  override: ['Tillfälligt byte …', 'Override …'],
  swap: ['Byt mot ett annat pass …', 'Swap for another shift …'],
  days: ['Särskilda dagar', 'Special days'],
  beredskap: ['beredskap', 'standby'],
  jour: ['jour', 'on duty']
})

const at = (moment: string | null, otherwise: string) => Date.parse(moment ?? otherwise)

interface LaneProps {
  name: string
  shifts: Shift[]
  schedule: Schedule
  hues: Map<string, number>
  final?: boolean
  onPick?: ((shift: Shift) => void) | undefined // by pointer; the list below has the same for keys
}

function Lane({ name, shifts, schedule, hues, final = false, onPick }: LaneProps) {
  const begin = Date.parse(schedule.from)
  const whole = Date.parse(schedule.until) - begin
  const part = (ms: number) => `${((100 * ms) / whole).toFixed(3)}%`
  return (
    <div class={`lane ${final ? 'final' : ''}`}>
      <span class="lane-name small">{name}</span>
      <div class="lane-line">
        {shifts.map((s) => {
          const from = Math.max(begin, Date.parse(s.from))
          const until = Math.min(begin + whole, at(s.until, schedule.until))
          const who = s.shown ?? s.person
          const text = who ?? t('nobody')
          const look = {
            class: `shift ${who ? `hue${hues.get(s.person ?? '') ?? 6}` : 'empty-shift'}`,
            style: { left: part(from - begin), width: part(until - from) },
            title: `${text} ${formatTime(new Date(s.from))}`
          }
          return onPick && who && until > now.value ? (
            <button key={s.from} type="button" tabIndex={-1} {...look} onClick={() => onPick(s)}>
              {text}
            </button>
          ) : (
            <span key={s.from} {...look}>
              {text}
            </span>
          )
        })}
      </div>
    </div>
  )
}

const LAST_MARK = 0.85 // what begins behind it has no room for its text

// A mark for each Monday.
function Weeks({ schedule }: { schedule: Schedule }) {
  const begin = Date.parse(schedule.from)
  const whole = Date.parse(schedule.until) - begin
  const marks: number[] = []
  const first = new Date(begin)
  first.setHours(0, 0, 0, 0)
  first.setDate(first.getDate() + ((8 - first.getDay()) % 7))
  for (const day = first; day.getTime() < begin + whole; day.setDate(day.getDate() + 7))
    if (day.getTime() < begin + whole * LAST_MARK) marks.push(day.getTime())
  return (
    <div class="lane" aria-hidden="true">
      <span class="lane-name" />
      <div class="lane-line weeks">
        {marks.map((day) => (
          <span key={day} class="small quiet" style={{ left: `${(100 * (day - begin)) / whole}%` }}>
            {formatTime(new Date(day), 'date')}
          </span>
        ))}
      </div>
    </div>
  )
}

export interface Chosen {
  team: Team
  shift: Shift
  act: 'override' | 'swap'
}

interface LanesProps {
  schedule: Schedule
  onChoose: (chosen: Chosen) => void
}

function ShiftList({ schedule, team, onChoose }: LanesProps & { team: Team }) {
  return (
    <Table
      caption={`${t('shifts')}: ${team.name}`}
      rows={team.shifts}
      id={(s) => s.from}
      columns={[
        {
          name: t('who'),
          class: 'what',
          show: (s) => (
            <>
              <span class={s.person ? 'strong' : 'loud'}>{s.shown ?? s.person ?? t('nobody')}</span>
              {s.change !== null && (
                <span class="quiet small block">
                  {t('changed')} {s.planned && t('planned', { who: s.planned })}
                </span>
              )}
            </>
          )
        },
        {
          name: t('from'),
          class: 'late',
          show: (s) => (s.from === schedule.from ? t('before') : <Time at={s.from} show="at" />)
        },
        {
          name: t('until'),
          class: 'late',
          show: (s) => (s.until === schedule.until ? t('behind') : <Time at={s.until} show="at" />)
        },
        {
          name: '',
          class: 'late',
          unseen: t('change'),
          show: (shift) =>
            may('oncall.write') &&
            shift.person &&
            at(shift.until, schedule.until) > now.value && (
              <Menu
                label={t('change')}
                name={t('changeOne', {
                  from: formatTime(new Date(shift.from)),
                  who: shift.shown ?? shift.person
                })}
              >
                <button type="button" onClick={() => onChoose({ team, shift, act: 'override' })}>
                  {t('override')}
                </button>
                <button type="button" onClick={() => onChoose({ team, shift, act: 'swap' })}>
                  {t('swap')}
                </button>
              </Menu>
            )
        }
      ]}
    />
  )
}

export function Lanes({ schedule, onChoose }: LanesProps) {
  const people = schedule.teams.flatMap((team) =>
    [...team.shifts, ...team.lanes.flatMap((lane) => lane.shifts)].map((s) => s.person ?? '')
  )
  const hues = new Map([...new Set(people)].sort(compare).map((p, n) => [p, n % 6]))
  return (
    <div class="stack">
      {schedule.teams.map((team) => (
        <section key={team.team} class="panel" aria-label={team.name}>
          <h2>
            {team.name} <span class="tag">{t(team.duty)}</span>
          </h2>
          <div class="lanes" aria-hidden="true">
            <Weeks schedule={schedule} />
            {team.lanes.length > 1 &&
              team.lanes.map((lane, n) => (
                <Lane
                  key={n}
                  name={`${lane.name ?? `${t('lane')} ${n + 1}`}${lane.shadow ? ` (${t('shadow')})` : ''}`}
                  shifts={lane.shifts}
                  schedule={schedule}
                  hues={hues}
                />
              ))}
            <Lane
              name={t('final')}
              shifts={team.shifts}
              schedule={schedule}
              hues={hues}
              final
              onPick={
                may('oncall.write')
                  ? (shift) => onChoose({ team, shift, act: 'override' })
                  : undefined
              }
            />
          </div>
          <ShiftList schedule={schedule} team={team} onChoose={onChoose} />
        </section>
      ))}
      {schedule.days.length > 0 && (
        <section class="panel" aria-labelledby="days">
          <h2 id="days">{t('days')}</h2>
          <ul class="names">
            {schedule.days.map((day) => (
              <li key={day.day}>
                <span class="mono small">{day.day}</span> {pick(day)}
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  )
}
