// SPDX-License-Identifier: EUPL-1.2
// One incident: what it is and what to do first, what happened when, who and what it is about.
import { useSignal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import { useLocation, useRoute } from 'preact-iso/router'
import { type ActName, act, type Incident, plainOf } from '../lib/acts'
import { get } from '../lib/api'
import { useKeys } from '../lib/keys'
import { incidentUrl, queueUrl } from '../lib/links'
import { listen } from '../lib/live'
import { useLoad } from '../lib/load'
import { may, me } from '../lib/session'
import { texts } from '../lib/text'
import { toast, toastProblem } from '../lib/toasts'
import { CloseDialog, concernQuestion, TextDialog } from '../parts/acts'
import { type Disposition, dispositionName, Severity, StateTag, Time } from '../parts/marks'
import { Menu } from '../parts/menu'
import { Page } from '../parts/page'
import { Failed, Note, Show } from '../parts/states'
import { Tabs } from '../parts/tabs'
import { ValueContext } from '../parts/value'
import { Alerts } from './incident/alerts'
import { Clocks } from './incident/clocks'
import { AssignDialog, HandoverDialog, MergeDialog } from './incident/dialogs'
import { Entities } from './incident/entities'
import { Facts } from './incident/facts'
import { Paged } from './incident/paged'
import { Similar } from './incident/similar'
import { Tasks } from './incident/tasks'
import { Timeline } from './incident/timeline'

const t = texts({
  title: ['Incident {id}', 'Incident {id}'],
  ack: ['Kvittera', 'Acknowledge'],
  take: ['Ta över', 'Take over'],
  triage: ['Bedömd', 'Triaged'],
  contain: ['Hejdad', 'Contained'],
  close: ['Stäng …', 'Close …'],
  reopen: ['Öppna igen …', 'Reopen …'],
  note: ['Anteckna …', 'Note …'],
  more: ['Mer', 'More'],
  assign: ['Tilldela …', 'Assign …'],
  handover: ['Lämna över …', 'Hand over …'],
  merge: ['Slå ihop …', 'Merge …'],
  share: ['Kopiera länk', 'Copy link'],
  shared: ['Länken är kopierad', 'The link was copied'],
  done: ['Sparat', 'Saved'],
  noteTitle: ['Anteckning', 'Note'],
  noteLabel: ['Vad du vet, såg eller gjorde', 'What you know, saw or did'],
  noteDo: ['Spara', 'Save'],
  noted: ['Anteckningen är sparad', 'The note was saved'],
  reopenTitle: ['Öppna igen', 'Reopen'],
  reopenDo: ['Öppna', 'Reopen'],
  why: ['Skäl', 'Reason'],
  gate: ['Innan något skrivs', 'Before anything is written'],
  no: ['Nej', 'No'],
  yes: ['Ja, eller jag vet inte', 'Yes, or I do not know'],
  protected: [
    'Kan röra säkerhetsskydd: skriv ingenting om den här incidenten i Vaka.',
    'May concern protective security (säkerhetsskydd): write nothing about this incident in Vaka.'
  ],
  closedAs: ['Stängd som {how}: {why}', 'Closed as {how}: {why}'],
  partOf: ['Den här är en del av incident {id}.', 'This one is part of incident {id}.'],
  follows: ['Följer på stängda incident {id}.', 'Follows the closed incident {id}.'],
  timeline: ['Tidslinje', 'Timeline'],
  alerts: ['Larm', 'Alerts'],
  view: ['Vad som visas', 'What is shown'],
  queue: ['Till kön', 'To the queue']
})

type Asking = '' | 'close' | 'reopen' | 'note' | 'assign' | 'handover' | 'merge'

function Banners({ incident: i, reload }: { incident: Incident; reload: () => void }) {
  return (
    <>
      {i.part_of != null && (
        <Note kind="attention">
          <a href={incidentUrl(i.part_of)}>{t('partOf', { id: i.part_of })}</a>
        </Note>
      )}
      {i.follows != null && (
        <Note>
          <a href={incidentUrl(i.follows)}>{t('follows', { id: i.follows })}</a>
        </Note>
      )}
      {i.protected === true && (
        <Note kind="attention">
          <strong>{t('protected')}</strong>
        </Note>
      )}
      {i.state === 'closed' && (
        <Note>
          {t('closedAs', {
            how: dispositionName((i.disposition ?? 'undetermined') as Disposition),
            why: i.why ?? '–'
          })}
        </Note>
      )}
      {i.protected === null && may('incidents.write') && <GatePanel incident={i} reload={reload} />}
    </>
  )
}

// Answered by one press: the safe answer closes the matter for this system.
function GatePanel({ incident, reload }: { incident: Incident; reload: () => void }) {
  const answer = async (concerns: boolean) => {
    await act(incident, 'protect', { concerns }).catch(toastProblem)
    reload()
  }
  return (
    <section class="note gate-panel" aria-label={t('gate')}>
      <p>{concernQuestion()}</p>
      <div class="buttons">
        <button type="button" class="button" onClick={() => answer(false)}>
          {t('no')}
        </button>
        <button type="button" class="button" onClick={() => answer(true)}>
          {t('yes')}
        </button>
      </div>
    </section>
  )
}

interface ActionsProps {
  incident: Incident
  run: (name: ActName, body?: object) => void
  ask: (what: Asking) => void
}

// The next step stands first and is the one that is coloured.
function Actions({ incident: i, run, ask }: ActionsProps) {
  if (!may('incidents.write') || i.part_of != null) return null
  if (i.state === 'closed')
    return (
      <>
        <button type="button" class="button" onClick={() => ask('reopen')}>
          {t('reopen')}
        </button>
        <button type="button" class="button" onClick={() => ask('note')}>
          {t('note')}
        </button>
      </>
    )
  return (
    <>
      {!i.acked && (
        <button type="button" class="button first" onClick={() => run('ack')}>
          {t('ack')}
        </button>
      )}
      {i.acked && i.assignee !== me.value && (
        <button type="button" class="button" onClick={() => run('assign', { to: me.value })}>
          {t('take')}
        </button>
      )}
      {i.acked && !i.triaged && (
        <button type="button" class="button first" onClick={() => run('triage')}>
          {t('triage')}
        </button>
      )}
      {i.triaged && !i.contained && (
        <button type="button" class="button first" onClick={() => run('contain')}>
          {t('contain')}
        </button>
      )}
      <button type="button" class="button" onClick={() => ask('note')}>
        {t('note')}
      </button>
      <button type="button" class="button" onClick={() => ask('close')}>
        {t('close')}
      </button>
      <Menu label={t('more')}>
        <button type="button" onClick={() => ask('assign')}>
          {t('assign')}
        </button>
        <button type="button" onClick={() => ask('handover')}>
          {t('handover')}
        </button>
        <button type="button" onClick={() => ask('merge')}>
          {t('merge')}
        </button>
        <button type="button" onClick={share}>
          {t('share')}
        </button>
      </Menu>
    </>
  )
}

const share = () => navigator.clipboard.writeText(location.href).then(() => toast(t('shared')))

interface DialogsProps {
  incident: Incident
  asking: Asking
  start: string
  onClose: () => void
  reload: () => void
}

function Dialogs({ incident, asking, start, onClose, reload }: DialogsProps) {
  const common = { of: [incident], onClose, onDone: reload }
  switch (asking) {
    case 'close':
      return <CloseDialog {...common} />
    case 'note':
      return (
        <TextDialog
          {...common}
          name="note"
          member="text"
          title={t('noteTitle')}
          label={t('noteLabel')}
          action={t('noteDo')}
          start={start}
          done={t('noted')}
        />
      )
    case 'reopen':
      return (
        <TextDialog
          {...common}
          name="reopen"
          member="why"
          title={t('reopenTitle')}
          label={t('why')}
          action={t('reopenDo')}
          done={t('done')}
        />
      )
    case 'assign':
      return <AssignDialog {...common} incident={incident} />
    case 'handover':
      return <HandoverDialog {...common} incident={incident} />
    case 'merge':
      return <MergeDialog {...common} incident={incident} />
    default:
      return null
  }
}

function Whole({ incident: i, reload }: { incident: Incident; reload: () => void }) {
  const asking = useSignal<Asking>('')
  const start = useSignal('')
  const { query, route, path } = useLocation()
  const ask = (what: Asking, words = '') => {
    start.value = words
    asking.value = what
  }
  const run = async (name: ActName, body: object = {}) => {
    try {
      await act(i, name, body)
      toast(t('done'))
    } catch (problem) {
      toastProblem(problem)
    }
    reload()
  }
  const write = may('incidents.write') && i.part_of == null
  const open = i.state !== 'closed'
  useKeys(
    write
      ? [
          ...(open && !i.acked ? [{ key: 'a', text: t('ack'), run: () => void run('ack') }] : []),
          ...(open ? [{ key: 'c', text: t('close'), run: () => ask('close') }] : []),
          { key: 'n', text: t('note'), run: () => ask('note') }
        ]
      : []
  )
  const around = useMemo(
    () => (write ? { onNote: (words: string) => ask('note', words) } : {}),
    [write]
  )
  const [head, rest] = plainOf(i)
  return (
    <ValueContext.Provider value={around}>
      <Page title={t('title', { id: i.id })} actions={<Actions incident={i} run={run} ask={ask} />}>
        <div class="case-head">
          <p class="line-marks">
            <Severity level={i.level} /> <StateTag state={i.state} />
            <span class="quiet small">
              <Time at={i.first_activity} /> {i.assignee && `· ${i.assignee}`}
            </span>
          </p>
          <p class="headline">{head}</p>
          {rest && <p class="advice">{rest}</p>}
        </div>
        <div class="stack banners">
          <Banners incident={i} reload={reload} />
          <Clocks incident={i} reload={reload} />
        </div>
        <div class="case">
          <div class="case-time">
            <Tabs
              label={t('view')}
              at={query.view ?? 'timeline'}
              onGo={(view) => route(view === 'timeline' ? path : `${path}?view=${view}`, true)}
              tabs={[
                {
                  id: 'timeline',
                  name: t('timeline'),
                  show: () => <Timeline incident={i} reload={reload} />
                },
                {
                  id: 'alerts',
                  name: `${t('alerts')} (${i.alerts})`,
                  show: () => <Alerts incident={i} reload={reload} />
                }
              ]}
            />
          </div>
          <div class="case-facts">
            <Paged incident={i} reload={reload} />
            <Facts incident={i} />
            <Tasks incident={i} reload={reload} />
          </div>
          <div class="case-links">
            <Entities incident={i} />
            <Similar incident={i} />
          </div>
        </div>
        <Dialogs
          incident={i}
          asking={asking.value}
          start={start.value}
          onClose={() => (asking.value = '')}
          reload={reload}
        />
      </Page>
    </ValueContext.Provider>
  )
}

export default function IncidentPage() {
  const { params } = useRoute()
  const id = params.id ?? ''
  const loaded = useLoad(`incident ${id}`, (signal) =>
    get('/incidents/{incident}', { path: { incident: id }, signal })
  )
  const { reload } = loaded
  useEffect(
    () =>
      listen((what) => {
        if (what.kind === 'begun' || (what.kind === 'incident' && String(what.data.id) === id))
          reload()
      }),
    [id, reload]
  )
  return (
    <>
      <p class="back">
        <a href={queueUrl()}>← {t('queue')}</a>
      </p>
      {loaded.value === undefined && loaded.error !== undefined ? (
        <Page title={t('title', { id })}>
          <Failed error={loaded.error} again={reload} />
        </Page>
      ) : (
        <Show of={loaded}>
          {(incident) => <Whole key={incident.id} incident={incident} reload={reload} />}
        </Show>
      )}
    </>
  )
}
