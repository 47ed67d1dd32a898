// SPDX-License-Identifier: EUPL-1.2
// Lists of indicators: what is on them, what they met, and what is put on them or taken off.
import { useSignal } from '@preact/signals'
import { useLocation } from 'preact-iso/router'
import { get, post, put, remove, type Schema } from '../../lib/api'
import { formatNumber } from '../../lib/format'
import { queueUrl } from '../../lib/links'
import { useLoad } from '../../lib/load'
import { fetchNoise, fetchPast, untilSo } from '../../lib/rules'
import { may } from '../../lib/session'
import { sayWrong, texts } from '../../lib/text'
import { AskDialog, Notice } from '../../parts/dialog'
import { Check, FileField, Select, TextArea, TextField } from '../../parts/field'
import { Kept } from '../../parts/kept'
import { LEVELS, levelName, Severity, Time } from '../../parts/marks'
import { type Column, Pager } from '../../parts/table'
import { Value } from '../../parts/value'

const t = texts({
  lists: ['Indikatorlistor', 'Lists of indicators'],
  none: [
    'Inga listor i kraft. Det som CERT-SE, MISP eller en granne varnar för kan läggas in här.',
    'No lists in force. What CERT-SE, MISP or a neighbour warns of can be put in here.'
  ],
  list: ['Lista', 'List'],
  level: ['Allvar', 'Severity'],
  size: ['Indikatorer', 'Indicators'],
  week: ['Larm, 7 dygn', 'Alerts, 7 days'],
  past: ['Bakåt', 'Past'],
  pastText: ['larm som listan skulle ha gett förut', 'alerts that the list would have made before'],
  alerts: ['Visa larmen', 'Show the alerts'],
  add: ['Ny lista …', 'New list …'],
  addTitle: ['Ny indikatorlista', 'New list of indicators'],
  replace: ['Byt ut …', 'Replace …'],
  replaceTitle: ['Byt ut {list}', 'Replace {list}'],
  more: ['Lägg till …', 'Add …'],
  moreTitle: ['Lägg till på {list}', 'Add to {list}'],
  keep: ['Spara', 'Save'],
  name: ['Namn', 'Name'],
  nameHint: ['Bokstäver, siffror och - _ .', 'Letters, digits and - _ .'],
  file: ['Fil: CSV, eller ett värde per rad', 'File: CSV, or a value a line'],
  text: ['Innehåll', 'Content'],
  textHint: [
    'Ett värde per rad, eller CSV med rubrikerna type, value, description, source, expires',
    'A value a line, or CSV with the headings type, value, description, source, expires'
  ],
  expires: ['Gäller', 'In force for'],
  expiresHint: [
    'Till exempel 90d eller 2027-12-31, för dem som inte säger något själva',
    'Such as 90d or 2027-12-31, for those that do not say'
  ],
  force: [
    'Ta med även egna och privata adresser, och nät som är mycket stora',
    'Take addresses of your own and private ones as well, and networks that are very large'
  ],
  kept: ['{n} indikatorer i {list}', '{n} indicators in {list}'],
  doubled: ['{n} fanns två gånger', '{n} were there twice'],
  ended: ['{n} hade redan gått ut', '{n} had ended already'],
  refused: ['{n} {n|rad|rader} kunde inte användas', '{n} {n|line|lines} could not be used'],
  row: ['rad {n}', 'line {n}'],
  drop: ['Ta bort …', 'Take away …'],
  dropTitle: ['Ta bort listan?', 'Take the list away?'],
  dropText: [
    'Inget på den larmar längre. Larm som finns blir kvar.',
    'Nothing on it fires any more. Alerts that are there stay.'
  ],
  dropDo: ['Ta bort', 'Take away'],
  dropped: ['Listan är borttagen.', 'The list is taken away.'],
  type: ['Slag', 'Kind'],
  address: ['adress', 'address'],
  domain: ['namn', 'name'],
  url: ['URL', 'URL'],
  hash: ['hash', 'hash'],
  email: ['e-post', 'mail'],
  value: ['Värde', 'Value'],
  about: ['Beskrivning', 'Description'],
  source: ['Källa', 'Source'],
  until: ['Till', 'Until'],
  forever: ['tills vidare', 'until further notice'],
  empty: ['Listan är tom.', 'The list is empty.'],
  cut: ['Ta bort …', 'Take off …'],
  cutTitle: ['Ta bort värdet från listan?', 'Take the value off the list?'],
  cutText: ['Det larmar inte längre.', 'It fires no more.'],
  cutDone: ['Borttaget.', 'Taken off.'],
  all: ['Alla listor', 'All lists']
})

type List = Schema<'Indicators'>['lists'][number]
type Indicator = Schema<'Indicator'>
type Told = Schema<'KeptIndicatorList'>

const PAGE = 100
const sizeOf = async (list: string) =>
  (await get('/indicators')).lists.find((l) => l.list === list)?.indicators

function Result({ told, onClose }: { told: Told; onClose: () => void }) {
  return (
    <Notice title={t('kept', { n: told.indicators, list: told.list })} onClose={onClose}>
      {told.doubled > 0 && <p>{t('doubled', { n: told.doubled })}</p>}
      {told.ended > 0 && <p>{t('ended', { n: told.ended })}</p>}
      {told.refused > 0 && (
        <>
          <p>{t('refused', { n: told.refused })}</p>
          <ul class="plain-list">
            {told.refusals.map((r) => (
              <li key={r.line} class="small">
                <span class="mono">{t('row', { n: r.line })}</span> {sayWrong(r.why, r.why_sv)}
              </li>
            ))}
          </ul>
        </>
      )}
    </Notice>
  )
}

interface WriteProps {
  list?: string // of the one that is changed
  adds?: boolean // to what is there
  onClose: () => void
  onDone: (told: Told) => void
}

function WriteDialog({ list, adds = false, onClose, onDone }: WriteProps) {
  const name = useSignal(list ?? '')
  const text = useSignal('')
  const level = useSignal('high')
  const expires = useSignal(list ? '' : '90d')
  const force = useSignal(false)
  const run = async () => {
    const path = { list: name.value.trim() }
    const body = {
      text: text.value,
      ...(expires.value.trim() && { expires: expires.value.trim() }),
      ...(force.value && { force: true })
    }
    const told = adds
      ? await post('/indicators/{list}/add', { path, body })
      : await put('/indicators/{list}', {
          path,
          body: { ...body, level: level.value as (typeof LEVELS)[number] }
        })
    await untilSo(async () => (await sizeOf(told.list)) === told.indicators)
    onDone(told)
  }
  const title = !list
    ? t('addTitle')
    : adds
      ? t('moreTitle', { list })
      : t('replaceTitle', { list })
  return (
    <AskDialog title={title} action={t('keep')} onClose={onClose} onDone={run}>
      {!list && (
        <TextField
          label={t('name')}
          hint={t('nameHint')}
          value={name.value}
          required
          onValue={(v) => (name.value = v)}
        />
      )}
      <FileField
        label={t('file')}
        accept=".csv,.txt,text/plain,text/csv"
        required={false}
        onFile={(file) => void file?.text().then((read) => (text.value = read))}
      />
      <TextArea
        label={t('text')}
        hint={t('textHint')}
        value={text.value}
        required
        rows={6}
        onValue={(v) => (text.value = v)}
      />
      {!adds && (
        <Select
          label={t('level')}
          value={level.value}
          options={LEVELS.map((value) => ({ value, text: levelName(value) }))}
          onValue={(v) => (level.value = v)}
        />
      )}
      <TextField
        label={t('expires')}
        hint={t('expiresHint')}
        value={expires.value}
        short
        onValue={(v) => (expires.value = v)}
      />
      <Check label={t('force')} value={force.value} onValue={(v) => (force.value = v)} />
    </AskDialog>
  )
}

const HERE = '/rules?view=indicators'
const listUrl = (list: string) => `${HERE}&list=${encodeURIComponent(list)}`

function Open({ list }: { list: string }) {
  const before = useSignal<number[]>([]) // the last number of each page before
  const writing = useSignal<'add' | 'replace' | null>(null)
  const told = useSignal<Told | null>(null)
  const after = before.value.at(-1) ?? 0
  const page = useLoad(`indicators ${list} ${after}`, (signal) =>
    get('/indicators/{list}', { path: { list }, query: { limit: PAGE, after }, signal })
  )
  const columns: Column<Indicator>[] = [
    { name: t('value'), class: 'what', show: (i) => <Value value={i.value} entity /> },
    { name: t('type'), show: (i) => t(i.type) },
    { name: t('about'), class: 'what', show: (i) => i.description },
    { name: t('source'), show: (i) => i.source },
    { name: t('until'), show: (i) => (i.expires ? <Time at={i.expires} /> : t('forever')) }
  ]
  return (
    <div class="stack">
      <p class="back">
        <a href={HERE}>{t('all')}</a>
      </p>
      <h2>{list}</h2>
      {may('rules.write') && (
        <div class="buttons">
          <button type="button" class="button" onClick={() => (writing.value = 'add')}>
            {t('more')}
          </button>
          <button type="button" class="button" onClick={() => (writing.value = 'replace')}>
            {t('replace')}
          </button>
        </div>
      )}
      <Kept
        of={page}
        rows={({ indicators }) => indicators}
        caption={list}
        none={t('empty')}
        columns={columns}
        id={(i) => i.number}
        below={({ indicators, total }) => (
          <Pager
            number={before.value.length + 1}
            next={(indicators.at(-1)?.number ?? total) < total ? 'more' : undefined}
            forward={() => (before.value = [...before.value, indicators.at(-1)?.number ?? 0])}
            back={() => (before.value = before.value.slice(0, -1))}
          />
        )}
        end={
          may('rules.write')
            ? {
                name: t('cut'),
                title: t('cutTitle'),
                text: t('cutText'),
                action: t('dropDo'),
                done: t('cutDone'),
                run: async ({ value }) => {
                  const path = { list }
                  const cut = { path, body: { values: [value] } }
                  const { indicators } = await post('/indicators/{list}/remove', cut)
                  await untilSo(async () => (await sizeOf(list)) === indicators)
                }
              }
            : undefined
        }
      />
      {writing.value && (
        <WriteDialog
          list={list}
          adds={writing.value === 'add'}
          onClose={() => (writing.value = null)}
          onDone={(done) => {
            told.value = done
            before.value = []
            page.reload()
          }}
        />
      )}
      {told.value && <Result told={told.value} onClose={() => (told.value = null)} />}
    </div>
  )
}

const sum = (of: List, by: Map<string, number>) =>
  of.rules.reduce((n, rule) => n + (by.get(rule) ?? 0), 0)

function All() {
  const { route } = useLocation()
  const told = useSignal<Told | null>(null)
  const page = useLoad('indicators', (signal) => get('/indicators', { signal }))
  const past = useLoad('retro', fetchPast)
  const noise = useLoad('noise', fetchNoise)
  const week = new Map([...(noise.value ?? [])].map(([rule, n]) => [rule, n.week]))
  const columns: Column<List>[] = [
    {
      name: t('list'),
      class: 'what',
      show: (l) => (
        <a class="strong" href={listUrl(l.list)}>
          {l.list}
        </a>
      )
    },
    { name: t('level'), show: (l) => <Severity level={l.level} /> },
    { name: t('size'), class: 'number', show: (l) => formatNumber(l.indicators) },
    {
      name: t('week'),
      class: 'number',
      show: (l) =>
        l.rules.length === 1 && sum(l, week) > 0 ? (
          <a href={queueUrl({ view: 'alerts', rule: String(l.rules[0]) })} title={t('alerts')}>
            {formatNumber(sum(l, week))}
          </a>
        ) : (
          formatNumber(sum(l, week))
        )
    },
    {
      name: t('past'),
      class: 'number late',
      show: (l) => (
        <span title={t('pastText')}>{past.value ? formatNumber(sum(l, past.value)) : '–'}</span>
      )
    }
  ]
  return (
    <>
      <Kept
        of={page}
        rows={({ lists }) => lists}
        caption={t('lists')}
        none={t('none')}
        columns={columns}
        id={(l) => l.list}
        onOpen={(l) => route(listUrl(l.list))}
        add={
          may('rules.write')
            ? {
                name: t('add'),
                dialog: (onClose, onDone) => (
                  <WriteDialog
                    onClose={onClose}
                    onDone={(done) => {
                      told.value = done
                      onDone()
                    }}
                  />
                )
              }
            : undefined
        }
        end={
          may('rules.write')
            ? {
                name: t('drop'),
                title: t('dropTitle'),
                text: t('dropText'),
                action: t('dropDo'),
                done: t('dropped'),
                run: async ({ list }) => {
                  await remove('/indicators/{list}', { path: { list } })
                  await untilSo(async () => (await sizeOf(list)) === undefined)
                }
              }
            : undefined
        }
      />
      {told.value && <Result told={told.value} onClose={() => (told.value = null)} />}
    </>
  )
}

export const Lists = ({ list }: { list: string }) =>
  list ? <Open key={list} list={list} /> : <All />
