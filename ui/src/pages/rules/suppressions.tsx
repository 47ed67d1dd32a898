// SPDX-License-Identifier: EUPL-1.2
// Alerts that are kept and make no incidents: for what, until when, whose decision, and why.
import { useSignal } from '@preact/signals'
import { get, post, remove, type Schema } from '../../lib/api'
import { formatNumber } from '../../lib/format'
import { useLoad, usePages } from '../../lib/load'
import { ruleUrl } from '../../lib/rules'
import { has, me } from '../../lib/session'
import { texts } from '../../lib/text'
import { toast } from '../../lib/toasts'
import { AskDialog } from '../../parts/dialog'
import { TextArea, TextField } from '../../parts/field'
import { Kept } from '../../parts/kept'
import { Time } from '../../parts/marks'
import { type Column, Pager } from '../../parts/table'

const t = texts({
  suppressions: ['Dämpningar', 'Suppressions'],
  none: ['Inga dämpningar.', 'No suppressions.'],
  add: ['Dämpa …', 'Suppress …'],
  title: ['Dämpa larm', 'Suppress alerts'],
  do: ['Dämpa', 'Suppress'],
  what: ['Larmen sparas, men blir inga incidenter.', 'Alerts are kept, but make no incidents.'],
  rule: ['Regel', 'Rule'],
  ruleHint: ['Regelns id. Tomt: alla regler', 'The id of the rule. Empty: all rules'],
  name: ['Namn', 'Name'],
  nameHint: [
    'Användare, dator eller adress som det gäller. Tomt: alla',
    'The user, computer or address it is about. Empty: all'
  ],
  days: ['Dagar', 'Days'],
  why: ['Skäl', 'Reason'],
  owner: ['Vems beslut', 'Whose decision'],
  until: ['Till', 'Until'],
  alerts: ['Larm', 'Alerts'],
  state: ['Läge', 'State'],
  end: ['Avsluta …', 'End …'],
  endTitle: ['Avsluta dämpningen?', 'End the suppression?'],
  endText: ['Larm blir incidenter igen.', 'Alerts make incidents again.'],
  endDo: ['Avsluta', 'End'],
  made: ['Dämpad', 'Suppressed'],
  active: ['gäller', 'in force'],
  expired: ['har gått ut', 'has expired'],
  ended: ['avslutad', 'ended']
})

type Suppression = Schema<'Suppression'>
const DAY = 86_400_000

interface AddProps {
  rule?: string
  onClose: () => void
  onDone: () => void
}

export function SuppressDialog({ rule = '', onClose, onDone }: AddProps) {
  const of = useSignal(rule)
  const name = useSignal('')
  const days = useSignal('30')
  const owner = useSignal(me.value)
  const why = useSignal('')
  const add = async () => {
    const until = new Date(Date.now() + Number(days.value) * DAY)
    await post('/suppressions', {
      body: {
        ...(of.value && { rule: of.value }),
        ...(name.value && { name: name.value }),
        owner: owner.value,
        why: why.value,
        expires: until.toISOString()
      }
    })
    toast(t('made'))
    onDone()
  }
  return (
    <AskDialog title={t('title')} action={t('do')} onClose={onClose} onDone={add}>
      <p>{t('what')}</p>
      <TextField
        label={t('rule')}
        hint={t('ruleHint')}
        value={of.value}
        onValue={(v) => (of.value = v)}
      />
      <TextField
        label={t('name')}
        hint={t('nameHint')}
        value={name.value}
        onValue={(v) => (name.value = v)}
      />
      <TextField
        label={t('days')}
        value={days.value}
        short
        required
        inputMode="numeric"
        onValue={(v) => (days.value = v)}
      />
      <TextField
        label={t('owner')}
        value={owner.value}
        required
        onValue={(v) => (owner.value = v)}
      />
      <TextArea label={t('why')} value={why.value} required onValue={(v) => (why.value = v)} />
    </AskDialog>
  )
}

export function Suppressions({ rule }: { rule?: string }) {
  const place = usePages('suppressions')
  const query = { limit: 50, ...(place.cursor && { cursor: place.cursor }) }
  const page = useLoad(`suppressions ${place.cursor}`, (signal) =>
    get('/suppressions', { query, signal })
  )
  const columns: Column<Suppression>[] = [
    {
      name: t('rule'),
      class: 'what',
      show: (s) => (s.rule ? <a href={ruleUrl(s.rule)}>{s.rule}</a> : '–')
    },
    { name: t('name'), show: (s) => <span class="mono wrap">{s.name ?? '–'}</span> },
    { name: t('why'), class: 'what', show: (s) => s.why },
    { name: t('owner'), show: (s) => s.owner },
    { name: t('until'), show: (s) => <Time at={s.expires} /> },
    { name: t('alerts'), class: 'number', show: (s) => formatNumber(s.alerts ?? 0) },
    { name: t('state'), show: (s) => <span class="tag">{t(s.state)}</span> }
  ]
  const mayWrite = has('rules.write')
  return (
    <Kept
      of={page}
      rows={({ suppressions }) =>
        rule ? suppressions.filter((s) => s.rule === rule) : suppressions
      }
      caption={t('suppressions')}
      none={t('none')}
      columns={columns}
      id={(s) => s.id}
      below={({ next }) => <Pager {...place} next={next} />}
      add={
        mayWrite
          ? {
              name: t('add'),
              dialog: (onClose, onDone) => (
                <SuppressDialog {...(rule && { rule })} onClose={onClose} onDone={onDone} />
              )
            }
          : undefined
      }
      end={
        mayWrite
          ? {
              name: t('end'),
              may: (s) => s.state === 'active',
              title: t('endTitle'),
              text: t('endText'),
              action: t('endDo'),
              done: t('ended'),
              run: ({ id }) =>
                remove('/suppressions/{suppression}', { path: { suppression: String(id) } })
            }
          : undefined
      }
    />
  )
}
