// SPDX-License-Identifier: EUPL-1.2
// Whom Vaka has told about it, who has answered, and the way to the next one.
import { useSignal } from '@preact/signals'
import type { Incident } from '../../lib/acts'
import { get, post, type Schema } from '../../lib/api'
import { useKeys } from '../../lib/keys'
import { useLoad } from '../../lib/load'
import { may } from '../../lib/session'
import { texts } from '../../lib/text'
import { toast } from '../../lib/toasts'
import { AskDialog } from '../../parts/dialog'
import { TextField } from '../../parts/field'
import { Time } from '../../parts/marks'

const t = texts({
  title: ['Larmade', 'Paged'],
  open: ['väntar på svar', 'waits for an answer'],
  loud: ['ingen har svarat: alla larmas', 'nobody has answered: everybody is told'],
  acknowledged: ['har svar', 'is answered'],
  over: ['avslutat', 'over'],
  exercise: ['övning', 'exercise'],
  waits: ['väntar på sin tur', 'waits for the turn'],
  trying: ['försöker', 'trying'],
  taken: ['skickat', 'sent'],
  delivered: ['framme', 'delivered'],
  failed: ['gick inte fram', 'not delivered'],
  person_over: ['avslutat', 'over'],
  acked: ['har svarat', 'has answered'],
  step: ['steg {n}', 'step {n}'],
  escalate: ['Eskalera …', 'Escalate …'],
  escalateTitle: ['Eskalera till nästa steg', 'Escalate to the next step'],
  escalateDo: ['Eskalera', 'Escalate'],
  why: ['Skäl', 'Reason'],
  escalated: ['Nästa steg larmas nu', 'The next step is told now']
})

type Listed = Schema<'ListedPage'>
type Told = Schema<'Page'>['told'][number]

function Person({ told: p }: { told: Told }) {
  return (
    <li>
      {p.name} <span class="quiet small">{t('step', { n: p.step })}</span>{' '}
      {p.acked ? (
        <>
          {t('acked')} <Time at={p.acked} show="ago" />
        </>
      ) : (
        t(p.state === 'over' ? 'person_over' : p.state)
      )}
    </li>
  )
}

function EscalateDialog({
  page,
  onClose,
  onDone
}: {
  page: Listed
  onClose: () => void
  onDone: () => void
}) {
  const why = useSignal('')
  const done = async () => {
    await post('/pages/{page}/escalate', {
      path: { page: String(page.id) },
      body: why.value ? { why: why.value } : {}
    })
    toast(t('escalated'))
    onDone()
  }
  return (
    <AskDialog title={t('escalateTitle')} action={t('escalateDo')} onClose={onClose} onDone={done}>
      <TextField label={t('why')} value={why.value} onValue={(v) => (why.value = v)} />
    </AskDialog>
  )
}

// Each person once: his answer, else the last that was tried.
function byPerson(told: Told[]): Told[] {
  const people = new Map<string, Told>()
  for (const entry of told) if (!people.get(entry.person)?.acked) people.set(entry.person, entry)
  return [...people.values()]
}

// The newest page of it, with whom it told.
async function load(id: number, signal: AbortSignal) {
  const { pages } = await get('/pages', { query: { state: 'any', limit: 200 }, signal })
  const listed = pages.find((p) => p.incidents.includes(id))
  if (!listed) return null
  return await get('/pages/{page}', { path: { page: String(listed.id) }, signal })
}

export function Paged({ incident, reload }: { incident: Incident; reload: () => void }) {
  const asking = useSignal(false)
  const key = may('oncall.read') ? `paged ${incident.id} ${incident.changed}` : null
  const { value: page } = useLoad(key, (signal) => load(incident.id, signal))
  const can = may('incidents.write') && (page?.state === 'open' || page?.state === 'loud')
  useKeys(can ? [{ key: 'e', text: t('escalateDo'), run: () => (asking.value = true) }] : [])
  if (!page) return null
  return (
    <section class={`panel ${page.state === 'loud' ? 'alarmed' : ''}`} aria-labelledby="paged">
      <header>
        <h2 id="paged">{t('title')}</h2>
        {can && (
          <button type="button" class="button" onClick={() => (asking.value = true)}>
            {t('escalate')}
          </button>
        )}
      </header>
      <p>
        {t(page.state)} · <Time at={page.begun} />
        {page.exercise && <span class="tag"> {t('exercise')}</span>}
      </p>
      <ul class="plain-list">
        {byPerson(page.told).map((p) => (
          <Person key={p.person} told={p} />
        ))}
      </ul>
      {asking.value && (
        <EscalateDialog page={page} onClose={() => (asking.value = false)} onDone={reload} />
      )}
    </section>
  )
}
