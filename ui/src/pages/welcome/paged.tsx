// SPDX-License-Identifier: EUPL-1.2
// The first person who is paged, and a page that really goes to him.
import { useSignal } from '@preact/signals'
import { get, Problem } from '../../lib/api'
import { useLoad } from '../../lib/load'
import { planOf } from '../../lib/oncall'
import { me, session } from '../../lib/session'
import { texts } from '../../lib/text'
import { Select, TextField } from '../../parts/field'
import { OnCall } from '../../parts/on_call'
import { PageTest } from '../../parts/page_test'
import { Recipe } from '../../parts/recipe'
import { Note, Show } from '../../parts/states'
import { SaveDialog } from '../oncall/save'

const t = texts({
  why: [
    'En person och ett sätt att nå den räcker för att börja. Fler läggs till under Beredskap.',
    'One person and one way to reach them is enough to begin. More are added under On call.'
  ],
  name: ['Namn', 'Name'],
  channel: ['Hur', 'How'],
  address: ['Nummer eller adress', 'Number or address'],
  sms: ['SMS', 'SMS'],
  voice: ['samtal', 'call'],
  mail: ['e-post', 'mail'],
  push: ['push (ntfy-ämne)', 'push (topic of ntfy)'],
  teams: ['Teams', 'Teams'],
  webhook: ['webhook', 'webhook'],
  next: ['Larma den här personen …', 'Page this person …'],
  team: ['Beredskap', 'On call'],
  saveTitle: ['Första planen', 'The first plan'],
  saveText: [
    'Från och med nu larmas {name} för allt som är högt eller kritiskt, dygnet runt.',
    'From now on {name} is paged for all that is high or critical, round the clock.'
  ],
  reason: ['Första personen; fler läggs till', 'The first person; more are added'],
  has: ['Det finns en plan.', 'There is a plan.'],
  more: ['Ändra den under Beredskap', 'Change it under On call'],
  noProviders: [
    'Ingen kanal är inställd än, så inget kommer fram. Lägg till en i vaka.yaml och kör vaka reload:',
    'No channel is set yet, so nothing arrives. Add one to vaka.yaml and run vaka reload:'
  ],
  noPlan: [
    'Ingen är i planen än: gå ett steg tillbaka.',
    'Nobody is in the plan yet: go one step back.'
  ],
  who: ['Till vem', 'To whom'],
  test: [
    'Provlarmet går samma väg som ett riktigt: samma leverantör, samma kanal. Det är märkt som prov.',
    'The test page goes the way of a real one: the same provider, the same channel. It is marked as a test.'
  ]
})

const CHANNELS = ['sms', 'voice', 'mail', 'push', 'teams', 'webhook'] as const
type Channel = (typeof CHANNELS)[number]

const EXAMPLE = `notify:
  providers:
    - 46elks name=sms user=USER secret=/etc/vaka/46elks.secret from=+46700000000 voice=+46700000000
    - smtp name=mail host=mail.example.se from=vaka@example.se own=yes`

// What can be sent, or how that is set when nothing can.
function useChannels() {
  const found = useLoad('providers', (signal) => get('/notify/providers', { signal }))
  const set = new Set<string>(found.value?.providers.flatMap((p) => p.channels))
  return {
    channels: CHANNELS.filter((channel) => set.size === 0 || set.has(channel)),
    none: found.value?.providers.length === 0
  }
}

const NoProviders = () => (
  <Note kind="attention">
    <p>{t('noProviders')}</p>
    <Recipe name="vaka.yaml" text={EXAMPLE} />
  </Note>
)

function Begin({ onDone }: { onDone: () => void }) {
  const { channels, none } = useChannels()
  const name = useSignal(session.value?.shown || me.value)
  const channel = useSignal<Channel | ''>('')
  const address = useSignal('')
  const saving = useSignal(false)
  const by = channel.value || channels[0] || 'sms'
  return (
    <>
      {none && <NoProviders />}
      <form
        onSubmit={(event) => {
          event.preventDefault()
          saving.value = true
        }}
      >
        <p class="quiet">{t('why')}</p>
        <TextField
          label={t('name')}
          required
          value={name.value}
          onValue={(v) => (name.value = v)}
        />
        <Select
          label={t('channel')}
          value={by}
          options={channels.map((value) => ({ value, text: t(value) }))}
          onValue={(v) => (channel.value = v as Channel)}
        />
        <TextField
          label={t('address')}
          required
          value={address.value}
          onValue={(v) => (address.value = v)}
        />
        <button type="submit" class="button">
          {t('next')}
        </button>
      </form>
      {saving.value && (
        <SaveDialog
          title={t('saveTitle')}
          text={t('saveText', { name: name.value })}
          reason={t('reason')}
          onClose={() => (saving.value = false)}
          onDone={onDone}
          change={(more) => ({
            kind: 'plan',
            body: {
              text: planOf({
                user: me.value,
                name: name.value,
                team: t('team'),
                channel: by,
                address: address.value.trim()
              }),
              ...more
            }
          })}
        />
      )}
    </>
  )
}

export function FirstOnCall() {
  const plan = useLoad('plan', (signal) => get('/oncall/plan', { signal }))
  if (plan.error instanceof Problem && plan.error.status === 404)
    return <Begin onDone={plan.reload} />
  return (
    <Show of={plan}>
      {() => (
        <>
          <p>
            {t('has')} <a href="/oncall?view=plan">{t('more')}</a>
          </p>
          <OnCall />
        </>
      )}
    </Show>
  )
}

export function FirstPage() {
  const { none } = useChannels()
  const who = useSignal('')
  const own = useLoad('own', (signal) => get('/oncall/me', { signal }))
  const fair = useLoad('people', (signal) => get('/oncall/fairness', { signal }))
  const people = fair.value?.people ?? []
  const to = who.value || own.value?.person || people[0]?.person
  return (
    <>
      {none && <NoProviders />}
      <p class="quiet">{t('test')}</p>
      {fair.error instanceof Problem && <Note>{t('noPlan')}</Note>}
      {people.length > 1 && (
        <Select
          label={t('who')}
          value={to ?? ''}
          options={people.map((p) => ({ value: p.person, text: p.shown }))}
          onValue={(v) => (who.value = v)}
        />
      )}
      {to && <PageTest key={to} person={to} />}
    </>
  )
}
