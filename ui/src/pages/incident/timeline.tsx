// SPDX-License-Identifier: EUPL-1.2
// What happened, in the order in which Vaka heard of it: alerts, and what people and Vaka did.
import { useSignal } from '@preact/signals'
import { type Incident, ruleTitle } from '../../lib/acts'
import { get, type Schema } from '../../lib/api'
import { formatTime } from '../../lib/format'
import { useLoad, usePages } from '../../lib/load'
import { may } from '../../lib/session'
import { texts } from '../../lib/text'
import { TextDialog } from '../../parts/acts'
import { type Disposition, dispositionName, Severity } from '../../parts/marks'
import { Show } from '../../parts/states'
import { Pager } from '../../parts/table'
import { FoundDetail } from './found'

const t = texts({
  list: ['Tidslinje', 'Timeline'],
  begin: ['incidenten började', 'the incident began'],
  ack: ['kvitterade', 'acknowledged'],
  assign: ['tilldelade {to}', 'assigned to {to}'],
  unassign: ['tog bort tilldelningen', 'took the assignment away'],
  note: ['antecknade', 'noted'],
  task: ['lade till en uppgift', 'added a task'],
  task_done: ['gjorde klart en uppgift', 'finished a task'],
  triage: ['bedömde', 'triaged'],
  contain: ['hejdade', 'contained'],
  close: ['stängde som {how}', 'closed as {how}'],
  reopen: ['öppnade igen', 'reopened'],
  merge: ['slog ihop med {id}', 'merged with {id}'],
  merged: ['blev en del av en annan', 'became part of another'],
  split: ['delade', 'split'],
  undo: ['ångrade', 'undid'],
  protect: ['svarade om säkerhetsskydd', 'answered about protective security'],
  aware: ['startade klockorna', 'started the clocks'],
  significant: ['bedömde om incidenten är betydande', 'judged whether it is significant'],
  breach: ['bedömde om personuppgifter drabbats', 'judged whether personal data were breached'],
  report: ['rapporterade', 'reported'],
  evidence: ['tog in bevis', 'took evidence'],
  notified: ['larmade {who}', 'paged {who}'],
  escalated: ['eskalerade larmet', 'escalated the page'],
  page_loud: ['nådde ingen: alla larmas', 'reached nobody: everybody is told'],
  other: ['{kind}', '{kind}'],
  undoAction: ['Ångra', 'Undo'],
  undoOne: ['Ångra: {what}', 'Undo: {what}'],
  undoTitle: ['Ångra', 'Undo'],
  why: ['Skäl', 'Reason'],
  undone: ['Ångrat', 'Undone'],
  counted: ['{n} gånger', '{n} times']
})

type Change = Schema<'IncidentLog'>['log'][number]
type Alert = Schema<'IncidentAlert'>
type Entry = { at: string; key: string } & ({ change: Change } | { alert: Alert })

const UNDOABLE = new Set([
  'ack',
  'assign',
  'triage',
  'contain',
  'close',
  'reopen',
  'merge',
  'split',
  'aware'
])

const word = (body: Record<string, unknown>, member: string) =>
  body[member] == null ? '' : String(body[member])

function say(c: Change): string {
  const body = c.body as Record<string, unknown>
  switch (c.kind) {
    case 'assign':
      return body.to ? t('assign', { to: word(body, 'to') }) : t('unassign')
    case 'close':
      return t('close', { how: dispositionName(word(body, 'disposition') as Disposition) })
    case 'merge':
      return t('merge', { id: word(body, 'with') })
    case 'notified':
      return t('notified', { who: word(body, 'who') })
    case 'escalated':
    case 'page_loud':
    case 'begin':
    case 'ack':
    case 'note':
    case 'task':
    case 'task_done':
    case 'triage':
    case 'contain':
    case 'reopen':
    case 'merged':
    case 'split':
    case 'undo':
    case 'protect':
    case 'aware':
    case 'significant':
    case 'breach':
    case 'report':
    case 'evidence':
      return t(c.kind)
    default:
      return t('other', { kind: c.kind })
  }
}

// Changes that fall into the time of a page of alerts; the first page has what came before, the last
// what came behind.
export function join(alerts: Alert[], log: Change[], first: boolean, last: boolean): Entry[] {
  const heard = (a: Alert) => a.alert.received ?? a.last_seen
  const entries: Entry[] = alerts.map((alert) => ({ at: heard(alert), key: `a${alert.id}`, alert }))
  const from = alerts[0] && !first ? heard(alerts[0]) : ''
  const end = alerts[alerts.length - 1]
  const to = end && !last ? heard(end) : '\uffff'
  for (const change of log)
    if (change.time >= from && change.time < to)
      entries.push({ at: change.time, key: `c${change.number}`, change })
  return entries.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
}

function Did({ change: c, onUndo }: { change: Change; onUndo?: () => void }) {
  const body = c.body as Record<string, unknown>
  const words = word(body, 'text') || c.why
  const what = say(c)
  return (
    <div class="did">
      <p>
        <strong>{c.actor}</strong> {what}
        {onUndo && (
          <button
            type="button"
            class="button bare"
            aria-label={t('undoOne', { what })}
            onClick={onUndo}
          >
            {t('undoAction')}
          </button>
        )}
      </p>
      {words && <p class="words">{words}</p>}
    </div>
  )
}

const Rang = ({ incident, alert: a }: { incident: Incident; alert: Alert }) => (
  <details class="rang">
    <summary>
      <Severity level={a.alert.rule.level} /> <span>{ruleTitle(incident, a.alert.rule)}</span>{' '}
      {a.alert.host && <span class="quiet mono">{a.alert.host}</span>}{' '}
      {a.count > 1 && <span class="quiet small">{t('counted', { n: a.count })}</span>}
    </summary>
    <FoundDetail alert={a.id} found={a.alert} />
  </details>
)

export function Timeline({ incident, reload }: { incident: Incident; reload: () => void }) {
  const id = String(incident.id)
  const path = { incident: id }
  const place = usePages(id)
  const undoing = useSignal<Change | null>(null)
  const page = useLoad(`timeline ${id} ${incident.changed} ${place.cursor}`, async (signal) => {
    const query = { limit: 50, ...(place.cursor && { cursor: place.cursor }) }
    const [alerts, log] = await Promise.all([
      get('/incidents/{incident}/alerts', { path, query, signal }),
      get('/incidents/{incident}/log', { path, query: { limit: 500 }, signal })
    ])
    return { alerts, log }
  })
  return (
    <>
      <Show of={page}>
        {({ alerts, log }) => (
          <>
            <ol class="timeline" aria-label={t('list')}>
              {join(alerts.alerts, log.log, place.number === 1, !alerts.next).map((e) => (
                <li key={e.key}>
                  <time dateTime={e.at} title={formatTime(new Date(e.at), 'whole')}>
                    {formatTime(new Date(e.at), 'clock')}
                  </time>
                  {'alert' in e ? (
                    <Rang incident={incident} alert={e.alert} />
                  ) : may('incidents.write') && UNDOABLE.has(e.change.kind) ? (
                    <Did change={e.change} onUndo={() => (undoing.value = e.change)} />
                  ) : (
                    <Did change={e.change} />
                  )}
                </li>
              ))}
            </ol>
            <Pager {...place} next={alerts.next} />
          </>
        )}
      </Show>
      {undoing.value && (
        <TextDialog
          of={[incident]}
          name="undo"
          member="why"
          body={{ change: undoing.value.number }}
          title={t('undoTitle')}
          label={t('why')}
          action={t('undoAction')}
          done={t('undone')}
          onClose={() => (undoing.value = null)}
          onDone={reload}
        />
      )}
    </>
  )
}
