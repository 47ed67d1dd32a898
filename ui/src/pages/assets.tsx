// SPDX-License-Identifier: EUPL-1.2
// Computers, which services they carry, whose they are and how much they matter: incidents are judged
// by it.
import { useSignal } from '@preact/signals'
import { useLocation } from 'preact-iso/router'
import { get, put, type Schema } from '../lib/api'
import { formatNumber } from '../lib/format'
import { queueUrl } from '../lib/links'
import { useLoad, usePages } from '../lib/load'
import { may } from '../lib/session'
import { texts } from '../lib/text'
import { toast } from '../lib/toasts'
import { AskDialog } from '../parts/dialog'
import { Check, Select, TextField } from '../parts/field'
import { Page } from '../parts/page'
import { Empty, Show } from '../parts/states'
import { type Column, Pager, Table } from '../parts/table'
import { Value } from '../parts/value'

const t = texts({
  title: ['Tillgångar', 'Assets'],
  none: [
    'Inga tillgångar än. Lägg till de viktigaste först: incidenter om dem hamnar överst.',
    'No assets yet. Add those that matter most first: incidents about them come first.'
  ],
  noneFound: ['Ingen tillgång heter så.', 'No asset is called so.'],
  find: ['Dator, adress eller tjänst', 'Computer, address or service'],
  filter: ['Filtrera', 'Filter'],
  add: ['Ny tillgång', 'New asset'],
  host: ['Dator', 'Computer'],
  addresses: ['Adresser', 'Addresses'],
  addressesHint: ['Med blanksteg mellan', 'With blanks between'],
  service: ['Tjänst', 'Service'],
  owner: ['Ägare', 'Owner'],
  importance: ['Vikt', 'Importance'],
  low: ['låg', 'low'],
  normal: ['vanlig', 'normal'],
  high: ['hög', 'high'],
  critical: ['kritisk', 'critical'],
  shared: ['Delas av flera', 'Shared by several'],
  incidents: ['Incidenter', 'Incidents'],
  change: ['Ändra', 'Change'],
  changeOne: ['Ändra {host}', 'Change {host}'],
  save: ['Spara', 'Save'],
  saved: ['Sparad. Öppna incidenter bedöms på nytt.', 'Saved. Open incidents are judged anew.']
})

type Asset = Schema<'Asset'>
const LEVELS = ['low', 'normal', 'high', 'critical'] as const
type Level = (typeof LEVELS)[number]
const levelOf = (text: string | null | undefined): Level =>
  LEVELS.find((l) => l === text) ?? 'normal'

interface EditProps {
  of: Asset | null // null: a new one
  onClose: () => void
  onDone: () => void
}

function Edit({ of, onClose, onDone }: EditProps) {
  const host = useSignal(of?.host ?? '')
  const addresses = useSignal(of?.addresses?.join(' ') ?? '')
  const service = useSignal(of?.service ?? '')
  const owner = useSignal(of?.owner ?? '')
  const importance = useSignal<Level>(levelOf(of?.importance))
  const shared = useSignal(of?.shared ?? false)
  const save = async () => {
    const asset = {
      host: host.value,
      addresses: addresses.value,
      service: service.value,
      owner: owner.value,
      importance: importance.value,
      shared: shared.value
    }
    await put('/assets', { body: { assets: [asset] } })
    toast(t('saved'))
    onDone()
  }
  return (
    <AskDialog
      title={of?.host ? t('changeOne', { host: of.host }) : t('add')}
      action={t('save')}
      onClose={onClose}
      onDone={save}
    >
      {!of && (
        <TextField
          label={t('host')}
          value={host.value}
          required
          autoFocus
          onValue={(v) => (host.value = v)}
        />
      )}
      <TextField
        label={t('addresses')}
        hint={t('addressesHint')}
        value={addresses.value}
        onValue={(v) => (addresses.value = v)}
      />
      <TextField label={t('service')} value={service.value} onValue={(v) => (service.value = v)} />
      <TextField label={t('owner')} value={owner.value} onValue={(v) => (owner.value = v)} />
      <Select
        label={t('importance')}
        value={importance.value}
        options={LEVELS.map((value) => ({ value, text: t(value) }))}
        onValue={(value) => (importance.value = levelOf(value))}
      />
      <Check label={t('shared')} value={shared.value} onValue={(on) => (shared.value = on)} />
    </AskDialog>
  )
}

export default function Assets() {
  const { query, route } = useLocation()
  const sought = useSignal(query.entity ?? '')
  const editing = useSignal<{ of: Asset | null } | null>(null)
  const key = `assets ${query.entity}`
  const place = usePages(key)
  const asked = {
    limit: 100,
    ...(query.entity && { entity: query.entity }),
    ...(place.cursor && { cursor: place.cursor })
  }
  const page = useLoad(`${key} ${place.cursor}`, (signal) =>
    get('/assets', { query: asked, signal })
  )
  const write = may('assets.write')
  const columns: Column<Asset>[] = [
    {
      name: t('host'),
      class: 'what',
      show: (a) => <Value field="host.name" value={a.host ?? ''} entity />
    },
    { name: t('service'), class: 'what', show: (a) => a.service || '–' },
    { name: t('owner'), show: (a) => a.owner || '–' },
    {
      name: t('importance'),
      show: (a) => (
        <span class={`tag ${a.importance === 'critical' ? 'open' : ''}`}>
          {t(levelOf(a.importance))}
        </span>
      )
    },
    {
      name: t('addresses'),
      show: (a) => (
        <ul>
          {a.addresses?.map((x) => (
            <li key={x}>
              <Value field="source.ip" value={x} entity />
            </li>
          ))}
        </ul>
      )
    },
    {
      name: t('incidents'),
      class: 'number',
      show: (a) => <a href={queueUrl({ entity: a.host ?? '' })}>{formatNumber(a.incidents ?? 0)}</a>
    },
    {
      name: '',
      unseen: t('change'),
      show: (a) =>
        write && (
          <button
            type="button"
            class="button"
            aria-label={t('changeOne', { host: a.host ?? '' })}
            onClick={() => (editing.value = { of: a })}
          >
            {t('change')}
          </button>
        )
    }
  ]
  return (
    <Page
      title={t('title')}
      actions={
        write && (
          <button type="button" class="button" onClick={() => (editing.value = { of: null })}>
            {t('add')}
          </button>
        )
      }
    >
      <form
        class="filters"
        onSubmit={(event) => {
          event.preventDefault()
          route(
            sought.value
              ? `/inventory?${new URLSearchParams({ entity: sought.value })}`
              : '/inventory'
          )
        }}
      >
        <TextField label={t('find')} value={sought.value} onValue={(v) => (sought.value = v)} />
        <button type="submit" class="button">
          {t('filter')}
        </button>
      </form>
      <Show of={page}>
        {({ assets, next }) => (
          <>
            {assets.length === 0 ? (
              <Empty>{t(query.entity ? 'noneFound' : 'none')}</Empty>
            ) : (
              <Table
                caption={t('title')}
                columns={columns}
                rows={assets}
                id={(a) => a.host ?? ''}
              />
            )}
            <Pager {...place} next={next} />
          </>
        )}
      </Show>
      {editing.value && (
        <Edit of={editing.value.of} onClose={() => (editing.value = null)} onDone={page.reload} />
      )}
    </Page>
  )
}
