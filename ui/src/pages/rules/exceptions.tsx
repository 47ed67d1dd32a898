// SPDX-License-Identifier: EUPL-1.2
// What rules are not to fire on: whose decision, why, until when.
import { useSignal } from '@preact/signals'
import { get, post, remove, type Schema } from '../../lib/api'
import { formatNumber } from '../../lib/format'
import { useLoad } from '../../lib/load'
import { ruleUrl, untilSo } from '../../lib/rules'
import { may } from '../../lib/session'
import { texts } from '../../lib/text'
import { toast } from '../../lib/toasts'
import { AskDialog } from '../../parts/dialog'
import { TextArea, TextField } from '../../parts/field'
import { Kept } from '../../parts/kept'
import { Time } from '../../parts/marks'
import type { Column } from '../../parts/table'

const t = texts({
  exceptions: ['Undantag', 'Exceptions'],
  none: ['Inga undantag.', 'No exceptions.'],
  add: ['Undantag …', 'Exception …'],
  title: ['Nytt undantag', 'New exception'],
  do: ['Lägg till', 'Add'],
  what: [
    'Regeln larmar inte längre på det som alla rader stämmer in på. Rader med samma fält är alternativ.',
    'The rule no longer fires on what all lines hold for. Lines with the same field are alternatives.'
  ],
  rule: ['Regel', 'Rule'],
  ruleHint: ['Regelns id', 'The id of the rule'],
  when: ['Larma inte när', 'Do not fire when'],
  whenHint: [
    'Ett villkor per rad, som i reglerna: User|endswith: backup',
    'A condition a line, as in rules: User|endswith: backup'
  ],
  days: ['Dagar', 'Days'],
  daysHint: ['Tomt: tills det tas bort', 'Empty: until it is lifted'],
  why: ['Skäl', 'Reason'],
  by: ['Av', 'By'],
  until: ['Till', 'Until'],
  forever: ['tills det tas bort', 'until it is lifted'],
  forRules: ['Regler', 'Rules'],
  lift: ['Ta bort …', 'Lift …'],
  liftTitle: ['Ta bort undantaget?', 'Lift the exception?'],
  liftText: ['Regeln larmar på allt igen.', 'The rule fires on everything again.'],
  liftDo: ['Ta bort', 'Lift'],
  made: ['Undantaget gäller.', 'The exception is in force.'],
  lifted: ['Undantaget är borttaget.', 'The exception is lifted.']
})

type Exception = Schema<'Exceptions'>['exceptions'][number]
const DAY = 86_400_000

const fetchAll = async (signal?: AbortSignal) =>
  (await get('/exceptions', { signal })).exceptions as Exception[]

interface AddProps {
  rule?: string
  onClose: () => void
  onDone: () => void
}

export function ExceptDialog({ rule = '', onClose, onDone }: AddProps) {
  const of = useSignal(rule)
  const when = useSignal('')
  const days = useSignal('90')
  const why = useSignal('')
  const add = async () => {
    const until = days.value.trim() && new Date(Date.now() + Number(days.value) * DAY)
    const lines = when.value.split('\n').map((line) => line.trim())
    const { id } = await post('/exceptions', {
      body: {
        rule: of.value,
        when: lines.filter(Boolean),
        reason: why.value,
        ...(until && { until: until.toISOString().slice(0, 10) })
      }
    })
    await untilSo(async () => (await fetchAll()).some((e) => e.id === id))
    toast(t('made'))
    onDone()
  }
  return (
    <AskDialog title={t('title')} action={t('do')} onClose={onClose} onDone={add}>
      <p>{t('what')}</p>
      {!rule && (
        <TextField
          label={t('rule')}
          hint={t('ruleHint')}
          value={of.value}
          required
          onValue={(v) => (of.value = v)}
        />
      )}
      <TextArea
        label={t('when')}
        hint={t('whenHint')}
        value={when.value}
        required
        rows={3}
        onValue={(v) => (when.value = v)}
      />
      <TextField
        label={t('days')}
        hint={t('daysHint')}
        value={days.value}
        short
        inputMode="numeric"
        onValue={(v) => (days.value = v)}
      />
      <TextArea label={t('why')} value={why.value} required onValue={(v) => (why.value = v)} />
    </AskDialog>
  )
}

// `rule`: only what is for that one, by its id or title.
export function Exceptions({ rule }: { rule?: string[] }) {
  const page = useLoad('exceptions', fetchAll)
  const columns: Column<Exception>[] = [
    ...(rule
      ? []
      : [
          {
            name: t('exceptions'),
            class: 'what',
            show: (e: Exception) =>
              e.for.length === 1 ? (
                <a href={ruleUrl(e.for[0] as string)} lang="en">
                  {e.title}
                </a>
              ) : (
                <span lang="en">{e.title}</span>
              )
          }
        ]),
    { name: t('why'), class: 'what', show: (e) => e.reason },
    { name: t('by'), show: (e) => e.by },
    { name: t('until'), show: (e) => (e.until ? <Time at={e.until} /> : t('forever')) },
    ...(rule
      ? []
      : [
          {
            name: t('forRules'),
            class: 'number',
            show: (e: Exception) => formatNumber(e.rules)
          }
        ])
  ]
  const mayWrite = may('rules.write')
  return (
    <Kept
      of={page}
      rows={(all) =>
        rule ? all.filter((e) => e.for.length === 0 || e.for.some((x) => rule.includes(x))) : all
      }
      caption={t('exceptions')}
      none={t('none')}
      columns={columns}
      id={(e) => e.id}
      add={
        mayWrite
          ? {
              name: t('add'),
              dialog: (onClose, onDone) => (
                <ExceptDialog
                  {...(rule?.[0] && { rule: rule[0] })}
                  onClose={onClose}
                  onDone={onDone}
                />
              )
            }
          : undefined
      }
      end={
        mayWrite
          ? {
              name: t('lift'),
              may: (e) => e.own,
              title: t('liftTitle'),
              text: t('liftText'),
              action: t('liftDo'),
              done: t('lifted'),
              run: async ({ id }) => {
                await remove('/exceptions/{exception}', { path: { exception: id } })
                await untilSo(async () => !(await fetchAll()).some((e) => e.id === id))
              }
            }
          : undefined
      }
    />
  )
}
