// SPDX-License-Identifier: EUPL-1.2
// Pages as they are told to people: how far each is, who was told by what, and the way to the next step.
import { useSignal } from '@preact/signals'
import { post, type Schema } from '../lib/api'
import { texts } from '../lib/text'
import { toast } from '../lib/toasts'
import { AskDialog } from './dialog'
import { TextField } from './field'
import { Time } from './marks'

const t = texts({
  open: ['väntar på svar', 'waits for an answer'],
  loud: ['ingen har svarat: alla larmas', 'nobody has answered: everybody is told'],
  acknowledged: ['har svar', 'is answered'],
  over: ['avslutat', 'over'],
  waits: ['väntar på sin tur', 'waits for the turn'],
  trying: ['försöker', 'trying'],
  taken: ['skickat', 'sent'],
  delivered: ['framme', 'delivered'],
  failed: ['gick inte fram', 'not delivered'],
  acked: ['har svarat', 'has answered'],
  step: ['steg {n}', 'step {n}'],
  queued: ['i kö', 'queued'],
  sending: ['skickas', 'being sent'],
  accepted: ['skickat', 'sent'],
  retry: ['försöker igen', 'tries again'],
  refused: ['nekades', 'refused'],
  unknown: ['okänt om det kom fram', 'unknown whether it came'],
  late: ['för sent', 'too late'],
  dropped: ['behövdes inte', 'not needed'],
  escalateTitle: ['Eskalera till nästa steg', 'Escalate to the next step'],
  escalate: ['Eskalera', 'Escalate'],
  why: ['Skäl', 'Reason'],
  escalated: ['Nästa steg larmas nu', 'The next step is told now']
})

export type Listed = Schema<'ListedPage'>
export type Paged = Schema<'Page'>
type Told = Paged['told'][number]
type Attempt = Told['attempts'][number]

export const pageState = (state: Listed['state']) => t(state)
export const isOpen = (page: Pick<Listed, 'state'> | null | undefined) =>
  page?.state === 'open' || page?.state === 'loud'

export const escalateName = () => t('escalate')

const WENT_WELL = new Set<Attempt['state']>(['accepted', 'delivered'])

const Tried = ({ attempt: a }: { attempt: Attempt }) => (
  <li class="small">
    <span class="mono">
      {a.channel} {a.address}
    </span>{' '}
    <span class="quiet">
      {t(a.state)}
      {a.detail && !WENT_WELL.has(a.state) && `: ${a.detail}`}
    </span>
  </li>
)

// `tries` shows what was sent by which channel as well.
export function Person({ told: p, tries = false }: { told: Told; tries?: boolean }) {
  return (
    <li>
      {p.name} <span class="quiet small">{t('step', { n: p.step })}</span>{' '}
      {p.acked ? (
        <>
          {t('acked')} <Time at={p.acked} show="ago" />
        </>
      ) : (
        t(p.state)
      )}
      {tries && (
        <ul class="plain-list tries">
          {p.attempts.map((a) => (
            <Tried key={a.id} attempt={a} />
          ))}
        </ul>
      )}
    </li>
  )
}

const BEST_FIRST: Told['state'][] = ['delivered', 'taken', 'trying', 'waits', 'failed', 'over']
const rank = (p: Told) => (p.acked ? -1 : BEST_FIRST.indexOf(p.state))

// Each person once, who is told by several contacts: his answer, else how far the best of them came, with
// all that was tried.
export function byPerson(told: Told[]): Told[] {
  const people = new Map<string, Told>()
  for (const entry of told) {
    const before = people.get(entry.person)
    const best = before && rank(before) <= rank(entry) ? before : entry
    const attempts = [...(before?.attempts ?? []), ...entry.attempts]
    people.set(entry.person, { ...best, attempts })
  }
  return [...people.values()]
}

interface EscalateProps {
  page: number
  onClose: () => void
  onDone: () => void
}

export function EscalateDialog({ page, onClose, onDone }: EscalateProps) {
  const why = useSignal('')
  const done = async () => {
    await post('/pages/{page}/escalate', {
      path: { page: String(page) },
      body: why.value ? { why: why.value } : {}
    })
    toast(t('escalated'))
    onDone()
  }
  return (
    <AskDialog title={t('escalateTitle')} action={t('escalate')} onClose={onClose} onDone={done}>
      <TextField label={t('why')} value={why.value} onValue={(v) => (why.value = v)} />
    </AskDialog>
  )
}
