// SPDX-License-Identifier: EUPL-1.2
// The schedule as weeks: who is on call each day, day by day as the calendar on the wall has it.
import { formatTime, formatWall, now, parseWall } from '../../lib/format'
import type { Schedule, Shift, Team } from '../../lib/oncall'
import { pick, texts } from '../../lib/text'

const t = texts({
  calendar: ['Kalender: {team}', 'Calendar: {team}'],
  week: ['Vecka', 'Week'],
  nobody: ['ingen', 'nobody']
})

const DAY = 86_400_000
const at = (day: string) => new Date(`${day}T12:00Z`)
const after = (day: string, n: number) =>
  new Date(at(day).getTime() + n * DAY).toISOString().slice(0, 10)
const weekdayOf = (day: string) => (at(day).getUTCDay() + 6) % 7 // Monday is 0

// By ISO 8601: that of its Thursday.
function weekOf(day: string): number {
  const thursday = at(after(day, 3 - weekdayOf(day)))
  const first = Date.UTC(thursday.getUTCFullYear(), 0, 1)
  return 1 + Math.floor((thursday.getTime() - first) / (7 * DAY))
}

// Whose shifts touch that day, in order; a gap is one as well.
function onDay(shifts: Shift[], day: string): Shift[] {
  const begin = parseWall(`${day} 00:00`)?.getTime() ?? 0
  const end = parseWall(`${after(day, 1)} 00:00`)?.getTime() ?? 0
  return shifts.filter(
    (s) => Date.parse(s.from) < end && (s.until === null || Date.parse(s.until) > begin)
  )
}

interface DayProps {
  day: string
  team: Team
  special: string | undefined
  begin: string // of what is shown: what began before is not told as beginning there
}

function Day({ day, team, special, begin }: DayProps) {
  const today = formatWall(new Date(now.value)).startsWith(day)
  return (
    <td
      class={`${special ? 'special' : ''} ${today ? 'today' : ''}`}
      aria-current={today ? 'date' : undefined}
    >
      <span class="small quiet">
        <span class="by-day">{formatTime(at(day), 'weekday')}</span> {formatTime(at(day), 'date')}{' '}
        {special}
      </span>
      <ul class="plain-list">
        {onDay(team.shifts, day).map((s) => (
          <li key={s.from} class={s.person ? undefined : 'loud'}>
            {s.from !== begin && formatWall(new Date(s.from)).startsWith(day) && (
              <span class="small quiet">{formatTime(new Date(s.from), 'minute')} </span>
            )}
            {s.shown ?? s.person ?? t('nobody')}
          </li>
        ))}
      </ul>
    </td>
  )
}

export function Calendar({ schedule }: { schedule: Schedule }) {
  const first = formatWall(new Date(schedule.from)).slice(0, 10)
  const last = formatWall(new Date(Date.parse(schedule.until) - 1)).slice(0, 10)
  const weeks: string[] = []
  for (let monday = after(first, -weekdayOf(first)); monday <= last; monday = after(monday, 7))
    weeks.push(monday)
  const special = new Map(schedule.days.map((day) => [day.day, pick(day)]))
  const days = [0, 1, 2, 3, 4, 5, 6]
  return (
    <div class="stack">
      {schedule.teams.map((team) => (
        <section key={team.team} class="panel" aria-label={team.name}>
          <h2>{team.name}</h2>
          <section
            class="table-box calendar"
            // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard
            tabIndex={0}
            aria-label={t('calendar', { team: team.name })}
          >
            <table>
              <caption class="unseen">{team.name}</caption>
              <thead>
                <tr>
                  <th scope="col">{t('week')}</th>
                  {days.map((n) => (
                    <th key={n} scope="col">
                      {formatTime(at(after(weeks[0] ?? first, n)), 'weekday')}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {weeks.map((monday) => (
                  <tr key={monday}>
                    <th scope="row">
                      <span class="by-day">{t('week')}</span> {weekOf(monday)}
                    </th>
                    {days.map((n) => {
                      const day = after(monday, n)
                      return (
                        <Day
                          key={day}
                          day={day}
                          team={team}
                          special={special.get(day)}
                          begin={schedule.from}
                        />
                      )
                    })}
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
        </section>
      ))}
    </div>
  )
}
