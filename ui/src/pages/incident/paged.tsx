// SPDX-License-Identifier: EUPL-1.2
// Whom Vaka has told about it, who has answered, and the way to the next one.
import { useSignal } from '@preact/signals'
import type { Incident } from '../../lib/acts'
import { get } from '../../lib/api'
import { useKeys } from '../../lib/keys'
import { useLoad } from '../../lib/load'
import { may } from '../../lib/session'
import { texts } from '../../lib/text'
import { Time } from '../../parts/marks'
import {
  byPerson,
  EscalateDialog,
  escalateName,
  isOpen,
  Person,
  pageState
} from '../../parts/paging'

const t = texts({
  title: ['Larmade', 'Paged'],
  exercise: ['övning', 'exercise']
})

// The newest page of it, with whom it told.
async function load(id: number, signal: AbortSignal) {
  const query = { state: 'any', incident: id, limit: 1 } as const
  const [listed] = (await get('/pages', { query, signal })).pages
  if (!listed) return null
  return await get('/pages/{page}', { path: { page: String(listed.id) }, signal })
}

export function Paged({ incident, reload }: { incident: Incident; reload: () => void }) {
  const asking = useSignal(false)
  const key = may('oncall.read') ? `paged ${incident.id} ${incident.changed}` : null
  const { value: page } = useLoad(key, (signal) => load(incident.id, signal))
  const can = may('incidents.write') && isOpen(page)
  useKeys(can ? [{ key: 'e', text: escalateName(), run: () => (asking.value = true) }] : [])
  if (!page) return null
  return (
    <section class={`panel ${page.state === 'loud' ? 'alarmed' : ''}`} aria-labelledby="paged">
      <header>
        <h2 id="paged">{t('title')}</h2>
        {can && (
          <button type="button" class="button" onClick={() => (asking.value = true)}>
            {escalateName()} …
          </button>
        )}
      </header>
      <p>
        {pageState(page.state)} · <Time at={page.begun} />
        {page.exercise && <span class="tag">{t('exercise')}</span>}
      </p>
      <ul class="plain-list">
        {byPerson(page.told).map((p) => (
          <Person key={p.person} told={p} />
        ))}
      </ul>
      {asking.value && (
        <EscalateDialog page={page.id} onClose={() => (asking.value = false)} onDone={reload} />
      )}
    </section>
  )
}
