// SPDX-License-Identifier: EUPL-1.2
// Who is on call, when nobody is, how duty is shared, what rest is owed, and how one is woken oneself.
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useLocation } from 'preact-iso/router'
import { get, Problem } from '../lib/api'
import { formatNumber, formatSpan, formatTime } from '../lib/format'
import { type Loaded, useLoad } from '../lib/load'
import { channelName, type Person } from '../lib/oncall'
import { may, me } from '../lib/session'
import { pick, texts } from '../lib/text'
import { Lamp, Time } from '../parts/marks'
import { Page } from '../parts/page'
import { PageTest } from '../parts/page_test'
import { Empty, Note, Show } from '../parts/states'
import { Table } from '../parts/table'
import { Tabs } from '../parts/tabs'
import { Calendar } from './oncall/calendar'
import { DropDialog, ShiftDialog, SpanDialog, TemporaryDialog } from './oncall/dialogs'
import { type Chosen, Lanes } from './oncall/lanes'
import { PagesView } from './oncall/pages'
import { PlanView } from './oncall/plan'

const t = texts({
  title: ['Beredskap', 'On call'],
  view: ['Vy', 'View'],
  schedule: ['Schema', 'Schedule'],
  check: ['Brister', 'Shortcomings'],
  changes: ['Ändringar', 'Changes'],
  fairness: ['Rättvisa', 'Fairness'],
  rest: ['Vila', 'Rest'],
  mine: ['Så larmas jag', 'How I am paged'],
  providers: ['Kanaler', 'Channels'],
  plan: ['Planen', 'The plan'],
  now: ['Nu', 'Now'],
  nobody: ['Ingen', 'Nobody'],
  until: ['till {when}', 'until {when}'],
  notCovered: [
    'Ingen har beredskap, och någon borde.',
    'Nobody is on call, and somebody has to be.'
  ],
  noPlan: [
    'Det finns ingen plan än. Fliken Planen lägger in en.',
    'There is no plan yet. The tab The plan makes one.'
  ],
  notInPlan: [
    'Planen nämner inte ditt konto. Den som ändrar planen lägger till user: {user} hos en person.',
    'The plan does not name your account. Whoever changes the plan adds user: {user} to a person.'
  ],
  earlier: ['Tidigare', 'Earlier'],
  later: ['Senare', 'Later'],
  absence: ['Frånvaro …', 'Absence …'],
  disturbance: ['Störning …', 'Disturbance …'],
  good: ['Inga brister det närmaste halvåret.', 'No shortcomings in the next half year.'],
  what: ['Vad', 'What'],
  kind: ['Slag', 'Kind'],
  from: ['Från', 'From'],
  untilWhen: ['Till', 'Until'],
  noChanges: ['Inga ändringar som gäller än.', 'No changes that still hold.'],
  override: ['tillfälligt byte', 'override'],
  temporary: ['tillfälligt schema', 'temporary schedule'],
  away: ['frånvaro', 'absence'],
  who: ['Vem', 'Who'],
  by: ['Av', 'By'],
  why: ['Skäl', 'Reason'],
  drop: ['Ta tillbaka', 'Take back'],
  dropOne: ['Ta tillbaka ändring {n}', 'Take change {n} back'],
  person: ['Person', 'Person'],
  shifts: ['Pass', 'Shifts'],
  hours: ['Timmar', 'Hours'],
  nights: ['varav natt', 'of them at night'],
  weekends: ['varav helg', 'of them on weekends'],
  red: ['varav röda dagar', 'of them on public holidays'],
  above: ['Timmar över gränsen', 'Hours above the limit'],
  owed: ['Vila att återlämna', 'Rest owed'],
  noneOwed: ['Ingen vila att återlämna.', 'No rest is owed.'],
  earliest: ['Arbete tidigast', 'Work at the earliest'],
  instead: ['Kan ta passet', 'Could take the shift'],
  disturbances: ['Störningar', 'Disturbances'],
  noDisturbances: ['Inga störningar på sextio dagar.', 'No disturbances in sixty days.'],
  channel: ['Kanal', 'Channel'],
  address: ['Adress', 'Address'],
  when: ['När', 'When'],
  always: ['alltid', 'always'],
  office: ['kontorstid', 'office hours'],
  oncall: ['beredskapstid', 'on-call hours'],
  after: ['efter {span} utan svar', 'after {span} without an answer'],
  atOnce: ['genast', 'at once'],
  contactsHow: ['Kontakterna står i planen.', 'Contacts stand in the plan.'],
  yours: ['Dina pass', 'Your shifts'],
  team: ['Grupp', 'Team'],
  provider: ['Leverantör', 'Provider'],
  state: ['Läge', 'State'],
  well: ['fungerar', 'works'],
  failing: ['fungerar inte', 'fails'],
  unused: ['oprövad', 'not tried'],
  'unknown host': ['okänd värd', 'unknown host'],
  accepted: ['Mottog senast', 'Last took one'],
  failure: ['Senaste fel', 'Last failure'],
  noProviders: [
    'Ingen leverantör: ingen kan larmas. Inställningen notify.providers namnger dem.',
    'No provider: nobody can be paged. The setting notify.providers names them.'
  ],
  lanes: ['Led', 'Lanes'],
  calendar: ['Kalender', 'Calendar'],
  how: ['Visas som', 'Shown as'],
  pages: ['Larmningar', 'Pages'],
  temporaryNew: ['Tillfälligt schema …', 'Temporary schedule …'],
  tryIt: ['Prova', 'Try it'],
  tryText: [
    'Ett provlarm går till dig på alla dina kontakter, och är märkt som prov.',
    'A test page goes to you by each of your contacts, and is marked as a test.'
  ]
})

const DAY = 86_400_000
const SHOWN = 28

// Without a plan there is nothing to show, which is no failure.
function Planned<T>({
  of,
  children
}: {
  of: Loaded<T>
  children: (value: T) => ComponentChildren
}) {
  if (of.error instanceof Problem && of.error.status === 404) return <Note>{t('noPlan')}</Note>
  return <Show of={of}>{children}</Show>
}

function Now({ round }: { round: number }) {
  const who = useLoad(`who ${round}`, (signal) => get('/oncall/who', { signal }))
  if (who.error instanceof Problem && who.error.status === 404) return null
  return (
    <Show of={who}>
      {({ teams }) => (
        <ul class="on-call-now" aria-label={t('now')}>
          {teams.map((team) => (
            <li key={team.team} class="panel">
              <span class="quiet small">{team.name}</span>
              <span class="headline">
                <Lamp is={team.person ? 'well' : team.covered ? 'bad' : 'unknown'} />{' '}
                {team.shown ?? team.person ?? t('nobody')}
              </span>
              {team.until && (
                <span class="quiet small">
                  {t('until', { when: formatTime(new Date(team.until)) })}
                </span>
              )}
              {!team.person && team.covered && <span class="loud">{t('notCovered')}</span>}
            </li>
          ))}
        </ul>
      )}
    </Show>
  )
}

interface Viewed {
  round: number
  people: Person[]
  reload: () => void
}

function ScheduleView({ round, people, reload }: Viewed) {
  const { query: at, route } = useLocation()
  const begin = useSignal(0) // days from today
  const chosen = useSignal<Chosen | 'temporary' | null>(null)
  const day = (n: number) =>
    new Date(Date.now() + (begin.value + n) * DAY).toISOString().slice(0, 10)
  // With the week before, so that the shift that goes on is seen as a whole; a calendar has whole weeks.
  const monday = -((new Date(day(0)).getUTCDay() + 6) % 7)
  const query =
    at.as === 'calendar'
      ? { from: day(monday), to: day(monday + SHOWN - 1) }
      : { from: day(-7), to: day(SHOWN) }
  const schedule = useLoad(`schedule ${query.from} ${query.to} ${round}`, (signal) =>
    get('/oncall/schedule', { query, signal })
  )
  const close = () => (chosen.value = null)
  return (
    <div class="stack">
      <div class="buttons">
        <button type="button" class="button" onClick={() => (begin.value -= SHOWN)}>
          {t('earlier')}
        </button>
        <button type="button" class="button" onClick={() => (begin.value += SHOWN)}>
          {t('later')}
        </button>
        <fieldset class="switch">
          <legend class="unseen">{t('how')}</legend>
          {(['lanes', 'calendar'] as const).map((as) => (
            <button
              key={as}
              type="button"
              class="button"
              aria-pressed={(at.as === 'calendar') === (as === 'calendar')}
              onClick={() => route(as === 'calendar' ? '/oncall?as=calendar' : '/oncall', true)}
            >
              {t(as)}
            </button>
          ))}
        </fieldset>
        {may('oncall.write') && people.length > 0 && schedule.value && (
          <button type="button" class="button" onClick={() => (chosen.value = 'temporary')}>
            {t('temporaryNew')}
          </button>
        )}
      </div>
      <Planned of={schedule}>
        {(found) =>
          at.as === 'calendar' ? (
            <Calendar schedule={found} />
          ) : (
            <Lanes schedule={found} onChoose={(what) => (chosen.value = what)} />
          )
        }
      </Planned>
      {chosen.value === 'temporary'
        ? schedule.value && (
            <TemporaryDialog
              teams={schedule.value.teams}
              people={people}
              onClose={close}
              onDone={reload}
            />
          )
        : chosen.value && (
            <ShiftDialog {...chosen.value} people={people} onClose={close} onDone={reload} />
          )}
    </div>
  )
}

function CheckView({ round }: { round: number }) {
  const check = useLoad(`check ${round}`, (signal) => get('/oncall/check', { signal }))
  return (
    <Planned of={check}>
      {({ findings }) =>
        findings.length === 0 ? (
          <Empty>{t('good')}</Empty>
        ) : (
          <Table
            caption={t('check')}
            rows={findings}
            id={(f) => `${f.kind} ${f.id} ${f.from} ${f.line}`}
            columns={[
              {
                name: t('what'),
                class: 'what',
                show: (f) => <span class={f.fails ? 'strong' : ''}>{pick(f)}</span>
              },
              { name: t('kind'), show: (f) => <span class="mono small">{f.kind}</span> },
              {
                name: t('from'),
                class: 'late',
                show: (f) => (f.from ? <Time at={f.from} show="at" /> : '–')
              },
              {
                name: t('untilWhen'),
                class: 'late',
                show: (f) => (f.until ? <Time at={f.until} show="at" /> : '–')
              }
            ]}
          />
        )
      }
    </Planned>
  )
}

function ChangesView({ round, reload }: Viewed) {
  const dropping = useSignal(0)
  const page = useLoad(`changes ${round}`, (signal) => get('/oncall/changes', { signal }))
  const kinds = { override: t('override'), temporary: t('temporary'), absence: t('away') }
  return (
    <>
      <Planned of={page}>
        {({ changes }) =>
          changes.length === 0 ? (
            <Empty>{t('noChanges')}</Empty>
          ) : (
            <Table
              caption={t('changes')}
              rows={changes}
              id={(c) => c.change}
              columns={[
                { name: t('kind'), show: (c) => kinds[c.kind] },
                { name: t('team'), show: (c) => c.team ?? '–' },
                { name: t('who'), show: (c) => c.person ?? '–' },
                { name: t('from'), class: 'late', show: (c) => <Time at={c.from} show="at" /> },
                {
                  name: t('untilWhen'),
                  class: 'late',
                  show: (c) => <Time at={c.until} show="at" />
                },
                { name: t('by'), class: 'late', show: (c) => c.actor },
                { name: t('why'), class: 'what', show: (c) => c.why ?? '–' },
                {
                  name: '',
                  class: 'late',
                  unseen: t('drop'),
                  show: (c) =>
                    may('oncall.write') &&
                    !c.dropped && (
                      <button
                        type="button"
                        class="button"
                        aria-label={t('dropOne', { n: c.change })}
                        onClick={() => (dropping.value = c.change)}
                      >
                        {t('drop')}
                      </button>
                    )
                }
              ]}
            />
          )
        }
      </Planned>
      {dropping.value > 0 && (
        <DropDialog change={dropping.value} onClose={() => (dropping.value = 0)} onDone={reload} />
      )}
    </>
  )
}

const hours = (minutes: number) => formatNumber(minutes / 60)

function FairnessView({ round }: { round: number }) {
  const page = useLoad(`fairness ${round}`, (signal) => get('/oncall/fairness', { signal }))
  return (
    <Planned of={page}>
      {({ people }) => (
        <Table
          caption={t('fairness')}
          rows={people}
          id={(p) => p.person}
          columns={[
            { name: t('person'), class: 'what', show: (p) => p.shown },
            { name: t('shifts'), class: 'number', show: (p) => formatNumber(p.shifts) },
            { name: t('hours'), class: 'number', show: (p) => hours(p.total) },
            { name: t('nights'), class: 'number', show: (p) => hours(p.nights) },
            { name: t('weekends'), class: 'number', show: (p) => hours(p.weekends) },
            { name: t('red'), class: 'number', show: (p) => hours(p.red) },
            {
              name: t('above'),
              class: 'number',
              show: (p) => hours(p.beredskap_above + p.jour_above)
            }
          ]}
        />
      )}
    </Planned>
  )
}

function RestView({ round }: { round: number }) {
  const page = useLoad(`rest ${round}`, (signal) => get('/oncall/rest', { signal }))
  return (
    <Planned of={page}>
      {({ rest, disturbances }) => (
        <div class="stack">
          <h2>{t('owed')}</h2>
          {rest.length === 0 ? (
            <Empty>{t('noneOwed')}</Empty>
          ) : (
            <Table
              caption={t('owed')}
              rows={rest}
              id={(r) => r.person}
              columns={[
                { name: t('person'), class: 'what', show: (r) => r.person },
                { name: t('owed'), class: 'late', show: (r) => formatSpan(r.owed * 60) },
                {
                  name: t('earliest'),
                  class: 'late',
                  show: (r) => <Time at={r.earliest} show="at" />
                },
                { name: t('instead'), class: 'late', show: (r) => r.instead ?? '–' }
              ]}
            />
          )}
          <h2>{t('disturbances')}</h2>
          {disturbances.length === 0 ? (
            <Empty>{t('noDisturbances')}</Empty>
          ) : (
            <Table
              caption={t('disturbances')}
              rows={disturbances}
              id={(d) => d.disturbance}
              columns={[
                { name: t('person'), class: 'what', show: (d) => d.person },
                { name: t('from'), class: 'late', show: (d) => <Time at={d.from} show="at" /> },
                {
                  name: t('untilWhen'),
                  class: 'late',
                  show: (d) => <Time at={d.until} show="at" />
                },
                { name: t('by'), class: 'late', show: (d) => d.actor }
              ]}
            />
          )}
        </div>
      )}
    </Planned>
  )
}

function MineView({ round }: { round: number }) {
  const page = useLoad(`mine ${round}`, (signal) => get('/oncall/me', { signal }))
  if (page.error instanceof Problem && page.error.status === 404)
    return <Note>{t('notInPlan', { user: me.value })}</Note>
  return (
    <Show of={page}>
      {({ person, contacts, shifts }) => (
        <div class="stack">
          <Table
            caption={t('mine')}
            rows={contacts}
            id={(c) => `${c.channel} ${c.address}`}
            columns={[
              { name: t('channel'), show: (c) => channelName(c.channel) },
              {
                name: t('address'),
                class: 'what',
                show: (c) => <span class="mono">{c.address}</span>
              },
              { name: t('when'), class: 'late', show: (c) => t(c.hours) },
              {
                name: '',
                class: 'late',
                unseen: t('when'),
                show: (c) => (c.after > 0 ? t('after', { span: formatSpan(c.after) }) : t('atOnce'))
              }
            ]}
          />
          <p class="quiet">{t('contactsHow')}</p>
          {may('oncall.write') && (
            <section aria-labelledby="try">
              <h2 id="try">{t('tryIt')}</h2>
              <p>{t('tryText')}</p>
              <PageTest person={person} />
            </section>
          )}
          <h2>{t('yours')}</h2>
          <Table
            caption={t('yours')}
            rows={shifts}
            id={(s) => s.team + s.from}
            columns={[
              { name: t('team'), class: 'what', show: (s) => s.name },
              { name: t('from'), class: 'late', show: (s) => <Time at={s.from} show="at" /> },
              { name: t('untilWhen'), class: 'late', show: (s) => <Time at={s.until} show="at" /> }
            ]}
          />
        </div>
      )}
    </Show>
  )
}

function ProvidersView() {
  const page = useLoad('providers', (signal) => get('/notify/providers', { signal }))
  const at = (seconds: number) => (seconds > 0 ? new Date(seconds * 1000).toISOString() : null)
  return (
    <Show of={page}>
      {({ providers }) =>
        providers.length === 0 ? (
          <Note kind="attention">{t('noProviders')}</Note>
        ) : (
          <Table
            caption={t('providers')}
            rows={providers}
            id={(p) => p.name}
            columns={[
              { name: t('provider'), class: 'what', show: (p) => `${p.name} (${p.kind})` },
              { name: t('channel'), show: (p) => p.channels.map(channelName).join(', ') },
              {
                name: t('state'),
                show: (p) => (
                  <span class={`tag ${p.state === 'well' || p.state === 'unused' ? '' : 'open'}`}>
                    {t(p.state)}
                  </span>
                )
              },
              { name: t('accepted'), class: 'late', show: (p) => <Time at={at(p.accepted_at)} /> },
              { name: t('failure'), class: 'what late', show: (p) => p.failure || '–' }
            ]}
          />
        )
      }
    </Show>
  )
}

export default function Oncall() {
  const { query, route } = useLocation()
  const round = useSignal(0)
  const asking = useSignal<'absence' | 'disturbance' | null>(null)
  const fairness = useLoad('people', (signal) => get('/oncall/fairness', { signal }))
  const people: Person[] = fairness.value?.people ?? []
  const reload = () => {
    round.value++
  }
  const viewed = { round: round.value, people, reload }
  const tabs = [
    { id: 'schedule', name: t('schedule'), show: () => <ScheduleView {...viewed} /> },
    { id: 'pages', name: t('pages'), show: () => <PagesView /> },
    { id: 'check', name: t('check'), show: () => <CheckView {...viewed} /> },
    { id: 'changes', name: t('changes'), show: () => <ChangesView {...viewed} /> },
    { id: 'rest', name: t('rest'), show: () => <RestView {...viewed} /> },
    { id: 'fairness', name: t('fairness'), show: () => <FairnessView {...viewed} /> },
    { id: 'mine', name: t('mine'), show: () => <MineView {...viewed} /> },
    ...(may('status.read')
      ? [{ id: 'providers', name: t('providers'), show: () => <ProvidersView /> }]
      : []),
    ...(may('config.read')
      ? [{ id: 'plan', name: t('plan'), show: () => <PlanView {...viewed} /> }]
      : [])
  ]
  return (
    <Page
      title={t('title')}
      actions={
        may('oncall.write') &&
        people.length > 0 && (
          <>
            <button type="button" class="button" onClick={() => (asking.value = 'absence')}>
              {t('absence')}
            </button>
            <button type="button" class="button" onClick={() => (asking.value = 'disturbance')}>
              {t('disturbance')}
            </button>
          </>
        )
      }
    >
      <Now round={round.value} />
      <Tabs
        label={t('view')}
        at={query.view ?? 'schedule'}
        onGo={(id) => route(id === 'schedule' ? '/oncall' : `/oncall?view=${id}`, true)}
        tabs={tabs}
      />
      {asking.value && (
        <SpanDialog
          kind={asking.value}
          people={people}
          onClose={() => (asking.value = null)}
          onDone={reload}
        />
      )}
    </Page>
  )
}
