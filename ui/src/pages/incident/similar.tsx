// SPDX-License-Identifier: EUPL-1.2
import type { Incident } from '../../lib/acts'
import { plainOf } from '../../lib/acts'
import { get } from '../../lib/api'
import { incidentUrl } from '../../lib/links'
import { useLoad } from '../../lib/load'
import { texts } from '../../lib/text'
import { type Disposition, dispositionName, StateTag, Time } from '../../parts/marks'
import { Show } from '../../parts/states'

const t = texts({
  similar: ['Liknande', 'Similar'],
  none: ['Ingen annan incident nämner detsamma.', 'No other incident names the same.'],
  common: ['gemensamt: {names}', 'in common: {names}']
})

export function Similar({ incident }: { incident: Incident }) {
  const id = String(incident.id)
  const list = useLoad(`similar ${id}`, (signal) =>
    get('/incidents/{incident}/similar', { path: { incident: id }, signal })
  )
  return (
    <section class="panel" aria-labelledby="similar">
      <h2 id="similar">{t('similar')}</h2>
      <Show of={list}>
        {({ similar }) =>
          similar.length === 0 ? (
            <p class="quiet">{t('none')}</p>
          ) : (
            <ul class="plain-list">
              {similar.map((i) => (
                <li key={i.id}>
                  <a href={incidentUrl(i.id)}>
                    #{i.id} {plainOf(i)[0]}
                  </a>
                  <div class="quiet small">
                    <StateTag state={i.state} />{' '}
                    {i.disposition && dispositionName(i.disposition as Disposition)}{' '}
                    <Time at={i.last_activity} show="ago" />
                    <div class="wrap">{t('common', { names: i.common.join(', ') })}</div>
                  </div>
                </li>
              ))}
            </ul>
          )
        }
      </Show>
    </section>
  )
}
