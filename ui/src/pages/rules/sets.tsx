// SPDX-License-Identifier: EUPL-1.2
// Sets of rules that others made: their versions, what one has that another has not, which is in force, and
// single rules of it that are switched by hand.
import { useSignal } from '@preact/signals'
import { get, post, type Schema, upload } from '../../lib/api'
import { formatNumber } from '../../lib/format'
import { type Loaded, useLoad } from '../../lib/load'
import { ruleUrl, untilSo } from '../../lib/rules'
import { may } from '../../lib/session'
import { sayWrong, texts } from '../../lib/text'
import { toast } from '../../lib/toasts'
import { AskDialog, Notice } from '../../parts/dialog'
import { FileField, Select, TextField } from '../../parts/field'
import { Severity, Time } from '../../parts/marks'
import { Empty, Show } from '../../parts/states'
import { type Column, Table } from '../../parts/table'

const t = texts({
  none: [
    'Inga regelsamlingar är importerade. Hämta till exempel SigmaHQ:s utgåva som zip och importera den här.',
    'No sets of rules are imported. Fetch a release of SigmaHQ as a zip, for example, and import it here.'
  ],
  import: ['Importera …', 'Import …'],
  importTitle: ['Importera regler', 'Import rules'],
  importText: [
    'Reglerna prövas och sparas som en ny version. Den gäller först när du använder den.',
    'The rules are checked and kept as a new version. It is in force when you use it, and not before.'
  ],
  importDo: ['Importera', 'Import'],
  set: ['Regelsamling', 'Set of rules'],
  setHint: ['Bokstäver, siffror och . _ - +', 'Letters, digits and . _ - +'],
  file: ['Zip-fil, högst 4 MB', 'Zip file, at most 4 MB'],
  profile: ['Vilka som slås på', 'Which are switched on'],
  default: ['de som är säkra och brukar ge få larm', 'those that are sure and make few alerts'],
  all: ['alla', 'all'],
  current: ['samma som i versionen i kraft', 'the same as in the version in force'],
  imported: ['{rules} regler, {on} påslagna', '{rules} rules, {on} switched on'],
  same: ['Den versionen fanns redan.', 'That version was there already.'],
  refused: ['{n} {n|fil|filer} kunde inte användas', '{n} {n|file|files} could not be used'],
  version: ['Version', 'Version'],
  from: ['Från', 'From'],
  uploaded: ['uppladdad', 'uploaded'],
  when: ['Importerad', 'Imported'],
  rules: ['Regler', 'Rules'],
  on: ['Påslagna', 'Switched on'],
  inForce: ['i kraft', 'in force'],
  use: ['Använd …', 'Use …'],
  off: ['Ta ur kraft …', 'Take out of force …'],
  useTitle: ['Använda {version}?', 'Use {version}?'],
  useText: [
    'Dess påslagna regler gäller om några sekunder, i stället för dem som gäller nu, och de senaste 30 dagarna söks igenom.',
    'Its rules that are switched on are in force in seconds, in place of those in force now, and the last 30 days are searched.'
  ],
  useDo: ['Använd', 'Use'],
  offTitle: ['Ta {set} ur kraft?', 'Take {set} out of force?'],
  offText: [
    'Ingen av dess regler larmar längre. Versionerna finns kvar.',
    'None of its rules fires any more. The versions stay.'
  ],
  offDo: ['Ta ur kraft', 'Take out of force'],
  used: ['Versionen gäller.', 'The version is in force.'],
  ended: ['Ingen version gäller.', 'No version is in force.'],
  switch: ['Slå på eller av en regel …', 'Switch a rule on or off …'],
  switchText: [
    'Det blir en ny version av samlingen, som gäller genast.',
    'That makes another version of the set, which is in force at once.'
  ],
  rule: ['Regelns id', 'Id of the rule'],
  to: ['Läge', 'State'],
  isOn: ['på', 'on'],
  isOff: ['av', 'off'],
  switchDo: ['Ställ om', 'Switch'],
  switched: ['Regeln är omställd.', 'The rule is switched.'],
  compare: ['Jämför', 'Compare'],
  difference: ['Från {old} till {new}', 'From {old} to {new}'],
  counts: [
    '{new} nya, {removed} borttagna, {logic} söker annat, {metadata} beskrivs annorlunda, {switched} omställda, {unchanged} oförändrade.',
    '{new} new, {removed} removed, {logic} look for something else, {metadata} are described otherwise, {switched} switched, {unchanged} unchanged.'
  ],
  noChange: ['Ingen regel skiljer.', 'No rule differs.'],
  what: ['Ändring', 'Change'],
  new: ['ny', 'new'],
  removed: ['borttagen', 'removed'],
  logic: ['söker annat', 'looks for something else'],
  metadata: ['annan beskrivning', 'other description'],
  switchedOne: ['omställd', 'switched'],
  severity: ['Allvar', 'Severity'],
  title: ['Titel', 'Title'],
  more: ['och {n} till', 'and {n} more']
})

type RuleSet = Schema<'Rulesets'>['sets'][number]
type Version = Schema<'RulesetVersion'>
type Change = Schema<'RuleChange'>
type Imported = Schema<'ImportedRuleset'>

const SHOWN = 200
const PROFILES = ['default', 'all', 'current'] as const

const fetchSets = async (signal?: AbortSignal) => (await get('/rulesets', { signal })).sets

const versionOf = async (set: string) =>
  (await fetchSets()).find((s) => s.set === set)?.versions.find((v) => v.current)?.version

async function use(set: string, version: string | undefined) {
  await post('/rulesets/{set}/use', { path: { set }, body: version ? { version } : {} })
  await untilSo(async () => (await versionOf(set)) === version)
}

// Of what was imported: how much there is, and what could not be used.
function Told({ of, onClose }: { of: Imported; onClose: () => void }) {
  return (
    <Notice title={`${of.set} ${of.version}`} onClose={onClose}>
      <p>{t('imported', { rules: formatNumber(of.rules), on: formatNumber(of.on) })}</p>
      {!of.fresh && <p>{t('same')}</p>}
      {of.refused.length > 0 && (
        <details>
          <summary>{t('refused', { n: of.refused.length })}</summary>
          <ul class="plain-list">
            {of.refused.map((r) => (
              <li key={r.file + r.line} class="small">
                <span class="mono wrap">{r.line ? `${r.file}:${r.line}:${r.column}` : r.file}</span>{' '}
                {sayWrong(r.why, r.why_sv)}
              </li>
            ))}
          </ul>
        </details>
      )}
    </Notice>
  )
}

interface ImportProps {
  set: string
  onClose: () => void
  onDone: (told: Imported) => void
}

function ImportDialog({ set, onClose, onDone }: ImportProps) {
  const name = useSignal(set)
  const profile = useSignal<string>('default')
  const file = useSignal<File | null>(null)
  const run = async () => {
    if (!file.value) return false
    onDone(
      await upload<Imported>('/rulesets/{set}/versions', {
        path: { set: name.value },
        query: { profile: profile.value },
        file: file.value
      })
    )
    return true
  }
  return (
    <AskDialog title={t('importTitle')} action={t('importDo')} onClose={onClose} onDone={run}>
      <p>{t('importText')}</p>
      <FileField label={t('file')} accept=".zip" onFile={(chosen) => (file.value = chosen)} />
      <TextField
        label={t('set')}
        hint={t('setHint')}
        value={name.value}
        required
        onValue={(v) => (name.value = v)}
      />
      <Select
        label={t('profile')}
        value={profile.value}
        options={PROFILES.map((value) => ({ value, text: t(value) }))}
        onValue={(v) => (profile.value = v)}
      />
    </AskDialog>
  )
}

interface ChangeProps {
  set: string
  onClose: () => void
  onDone: () => void
}

function SwitchDialog({ set, onClose, onDone }: ChangeProps) {
  const rule = useSignal('')
  const to = useSignal('off')
  const run = async () => {
    const body = { rule: rule.value.trim(), on: to.value === 'on' }
    const { version } = await post('/rulesets/{set}/switch', { path: { set }, body })
    await untilSo(async () => (await versionOf(set)) === version)
    toast(t('switched'))
    onDone()
  }
  return (
    <AskDialog title={t('switch')} action={t('switchDo')} onClose={onClose} onDone={run}>
      <p>{t('switchText')}</p>
      <TextField label={t('rule')} value={rule.value} required onValue={(v) => (rule.value = v)} />
      <Select
        label={t('to')}
        value={to.value}
        options={[
          { value: 'off', text: t('isOff') },
          { value: 'on', text: t('isOn') }
        ]}
        onValue={(v) => (to.value = v)}
      />
    </AskDialog>
  )
}

function UseDialog({ set, version, onClose, onDone }: ChangeProps & { version: string | null }) {
  const run = async () => {
    await use(set, version ?? undefined)
    toast(t(version ? 'used' : 'ended'))
    onDone()
  }
  return (
    <AskDialog
      title={version ? t('useTitle', { version }) : t('offTitle', { set })}
      action={t(version ? 'useDo' : 'offDo')}
      grave={!version}
      onClose={onClose}
      onDone={run}
    >
      <p>{t(version ? 'useText' : 'offText')}</p>
    </AskDialog>
  )
}

// A path, where it was imported from a folder or a file.
const fromOf = (from: string) =>
  from === 'api' ? t('uploaded') : from === 'switch' ? t('switchedOne') : from

const CHANGES = { switched: 'switchedOne' } as const
const nameOf = (change: Change['change']) => t(change === 'switched' ? CHANGES.switched : change)
const stateOf = (on: boolean) => t(on ? 'isOn' : 'isOff')

function Difference({ set, old, at }: { set: string; old: string; at: string }) {
  const page = useLoad(`difference ${set} ${old} ${at}`, (signal) =>
    get('/rulesets/{set}/difference', { path: { set }, query: { old, new: at }, signal })
  )
  const columns: Column<Change>[] = [
    { name: t('what'), show: (c) => nameOf(c.change) },
    { name: t('severity'), show: (c) => (c.level ? <Severity level={c.level} /> : '–') },
    {
      name: t('title'),
      class: 'what',
      show: (c) => (
        <>
          {c.is_on ? (
            <a href={ruleUrl(c.id)} lang="en">
              {c.title}
            </a>
          ) : (
            <span lang="en">{c.title}</span>
          )}
          <span class="quiet small block mono">{c.id}</span>
        </>
      )
    },
    {
      name: t('to'),
      show: (c) =>
        c.was_on === c.is_on ? stateOf(c.is_on) : `${stateOf(c.was_on)} → ${stateOf(c.is_on)}`
    }
  ]
  return (
    <section class="stack" aria-label={t('difference', { old, new: at })}>
      <h3>{t('difference', { old, new: at })}</h3>
      <Show of={page}>
        {({ changes, ...n }) => (
          <>
            <p role="status">{changes.length === 0 ? t('noChange') : t('counts', { ...n })}</p>
            {changes.length > 0 && (
              <Table
                caption={t('difference', { old, new: at })}
                columns={columns}
                rows={changes.slice(0, SHOWN)}
                id={(c) => c.id + c.change}
              />
            )}
            {changes.length > SHOWN && (
              <p class="quiet">{t('more', { n: changes.length - SHOWN })}</p>
            )}
          </>
        )}
      </Show>
    </section>
  )
}

interface OneProps {
  of: RuleSet
  all: Loaded<RuleSet[]>
  onImport: () => void
}

function One({ of: { set, versions }, all, onImport }: OneProps) {
  const asking = useSignal<{ version: string | null } | 'switch' | null>(null)
  const compared = useSignal<string | null>(null)
  const current = versions.find((v) => v.current)
  const base = (v: Version) => {
    const before = versions[versions.indexOf(v) - 1]
    return current && current !== v ? current.version : before?.version
  }
  const columns: Column<Version>[] = [
    {
      name: t('version'),
      class: 'what',
      show: (v) => (
        <>
          <span class="mono wrap">{v.version}</span>{' '}
          {v.current && <span class="tag">{t('inForce')}</span>}
        </>
      )
    },
    { name: t('from'), show: (v) => <span class="small wrap">{fromOf(v.from)}</span> },
    {
      name: t('when'),
      show: (v) => (
        <>
          <Time at={v.imported} /> <span class="quiet small">{v.by}</span>
        </>
      )
    },
    { name: t('rules'), class: 'number', show: (v) => formatNumber(v.rules) },
    { name: t('on'), class: 'number', show: (v) => formatNumber(v.on) },
    {
      name: '',
      unseen: t('use'),
      class: 'late',
      show: (v) => (
        <span class="buttons">
          {base(v) && (
            <button
              type="button"
              class="button"
              aria-pressed={compared.value === v.version}
              onClick={() => (compared.value = compared.value === v.version ? null : v.version)}
            >
              {t('compare')}
            </button>
          )}
          {may('rules.write') && (
            <button
              type="button"
              class="button"
              onClick={() => (asking.value = { version: v.current ? null : v.version })}
            >
              {t(v.current ? 'off' : 'use')}
            </button>
          )}
        </span>
      )
    }
  ]
  const at = versions.find((v) => v.version === compared.value)
  const old = at && base(at)
  const close = () => (asking.value = null)
  return (
    <section class="panel" aria-labelledby={`set-${set}`}>
      <header>
        <h2 id={`set-${set}`}>{set}</h2>
        {may('rules.write') && (
          <span class="buttons">
            {current && (
              <button type="button" class="button" onClick={() => (asking.value = 'switch')}>
                {t('switch')}
              </button>
            )}
            <button type="button" class="button" onClick={onImport}>
              {t('import')}
            </button>
          </span>
        )}
      </header>
      <div class="stack">
        <Table caption={set} columns={columns} rows={versions} id={(v) => v.version} />
        {at && old && <Difference set={set} old={old} at={at.version} />}
      </div>
      {asking.value === 'switch' && <SwitchDialog set={set} onClose={close} onDone={all.reload} />}
      {asking.value && asking.value !== 'switch' && (
        <UseDialog
          set={set}
          version={asking.value.version}
          onClose={close}
          onDone={() => {
            compared.value = null
            all.reload()
          }}
        />
      )}
    </section>
  )
}

export function Sets() {
  const sets = useLoad('rulesets', fetchSets)
  const importing = useSignal<string | null>(null)
  const told = useSignal<Imported | null>(null)
  return (
    <div class="stack">
      <Show of={sets}>
        {(all) => (
          <>
            {all.length === 0 && (
              <>
                {may('rules.write') && (
                  <div class="buttons">
                    <button
                      type="button"
                      class="button"
                      onClick={() => (importing.value = 'sigmahq')}
                    >
                      {t('import')}
                    </button>
                  </div>
                )}
                <Empty>{t('none')}</Empty>
              </>
            )}
            {all.map((one) => (
              <One key={one.set} of={one} all={sets} onImport={() => (importing.value = one.set)} />
            ))}
          </>
        )}
      </Show>
      {importing.value !== null && (
        <ImportDialog
          set={importing.value}
          onClose={() => (importing.value = null)}
          onDone={(done) => {
            told.value = done
            sets.reload()
          }}
        />
      )}
      {told.value && <Told of={told.value} onClose={() => (told.value = null)} />}
    </div>
  )
}
