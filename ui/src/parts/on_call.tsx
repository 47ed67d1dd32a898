// SPDX-License-Identifier: EUPL-1.2
// Who is on call now, team by team; that nobody is, is loud.
import { get } from '../lib/api'
import { formatTime } from '../lib/format'
import { useLoad } from '../lib/load'
import { texts } from '../lib/text'
import { Lamp } from './marks'

const t = texts({
  title: ['Beredskap nu', 'On call now'],
  none: ['Det finns ingen plan än: ingen larmas.', 'There is no plan yet: nobody is paged.'],
  nobody: ['ingen', 'nobody'],
  until: ['till {time}', 'until {time}'],
  office: ['kontorstid', 'office hours']
})

export function OnCall() {
  const who = useLoad('who', (signal) => get('/oncall/who', { signal }))
  if (!who.value) return null
  const { teams, office } = who.value
  return (
    <section class="panel on-call" aria-labelledby="on-call">
      <header>
        <h2 id="on-call">{t('title')}</h2>
        {office && <span class="quiet small">{t('office')}</span>}
      </header>
      {teams.length === 0 && (
        <p>
          <Lamp is="attention" /> {t('none')}
        </p>
      )}
      <dl class="facts">
        {teams.map((team) => (
          <>
            <dt key={`${team.team} name`}>{team.name}</dt>
            <dd key={`${team.team} who`}>
              {team.person ? (
                <strong>{team.shown ?? team.person}</strong>
              ) : (
                <>
                  <Lamp is={team.covered ? 'unknown' : 'bad'} /> {t('nobody')}
                </>
              )}{' '}
              {team.until && (
                <span class="quiet small">
                  {t('until', { time: formatTime(new Date(team.until)) })}
                </span>
              )}
            </dd>
          </>
        ))}
      </dl>
    </section>
  )
}
