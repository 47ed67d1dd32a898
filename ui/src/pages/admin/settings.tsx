// SPDX-License-Identifier: EUPL-1.2
// Every setting: what it is for, what it is, where that is from, and what it could be.
import { useSignal } from '@preact/signals'
import { get, type Schema } from '../../lib/api'
import { useLoad } from '../../lib/load'
import { pick, texts } from '../../lib/text'
import { Check, TextField } from '../../parts/field'
import { Empty, Show } from '../../parts/states'

const t = texts({
  find: ['Hitta inställning', 'Find a setting'],
  changed: ['Bara det som skiljer sig från det vanliga', 'Only what is not the default'],
  how: [
    'Inställningar står i vaka.yaml. Ändra där och kör vaka reload; vaka config check säger om filen är rätt.',
    'Settings stand in vaka.yaml. Change them there and run vaka reload; vaka config check tells whether the file is right.'
  ],
  value: ['Värde', 'Value'],
  usual: ['Annars', 'Default'],
  values: ['Kan vara', 'Can be'],
  from: ['Från', 'From'],
  file: ['vaka.yaml, rad {line}', 'vaka.yaml, line {line}'],
  option: ['kommandoraden', 'the command line'],
  default: ['det vanliga', 'the default'],
  nothing: ['inget', 'nothing'],
  none: ['Ingen inställning heter så.', 'No setting is called so.']
})

type Setting = Schema<'Settings'>['settings'][number]

function shown(value: unknown): string {
  const text = Array.isArray(value) ? value.join('\n') : String(value ?? '')
  return text || t('nothing')
}

const originOf = (s: Setting) =>
  s.from === 'file' ? t('file', { line: String(s.line) }) : t(s.from)

function One({ of }: { of: Setting }) {
  return (
    <li class="setting">
      <h3 class="mono" id={`setting-${of.key}`}>
        {of.key}
      </h3>
      <p>{pick({ sv: of.text_sv, en: of.text })}</p>
      <dl class="facts">
        <dt>{t('value')}</dt>
        <dd class="mono words">{shown(of.value)}</dd>
        <dt>{t('from')}</dt>
        <dd>{originOf(of)}</dd>
        {of.from !== 'default' && (
          <>
            <dt>{t('usual')}</dt>
            <dd class="mono">{of.default || t('nothing')}</dd>
          </>
        )}
        <dt>{t('values')}</dt>
        <dd>{pick({ sv: of.values_sv, en: of.values })}</dd>
      </dl>
    </li>
  )
}

const sectionOf = (s: Setting) => (s.key.includes('.') ? (s.key.split('.')[0] as string) : '')

// Of the file, and not only the default written down once more.
const differs = (s: Setting) =>
  s.from !== 'default' && shown(s.value) !== (s.default || t('nothing'))

export function Settings() {
  const page = useLoad('settings', (signal) => get('/settings', { signal }))
  const sought = useSignal('')
  const changed = useSignal(false)
  return (
    <Show of={page}>
      {({ settings }) => {
        const words = sought.value.toLowerCase()
        const found = settings.filter(
          (s) =>
            `${s.key} ${s.text} ${s.text_sv}`.toLowerCase().includes(words) &&
            (!changed.value || differs(s))
        )
        const sections = [...new Set(found.map(sectionOf))]
        return (
          <div class="stack">
            <p class="quiet">{t('how')}</p>
            <div class="filters">
              <TextField
                label={t('find')}
                value={sought.value}
                onValue={(v) => (sought.value = v)}
              />
              <Check
                label={t('changed')}
                value={changed.value}
                onValue={(on) => (changed.value = on)}
              />
            </div>
            {found.length === 0 && <Empty>{t('none')}</Empty>}
            {sections.map((section) => (
              <section key={section} class="panel" aria-label={section || 'vaka.yaml'}>
                <h2 class="mono">{section || 'vaka.yaml'}</h2>
                <ul>
                  {found
                    .filter((s) => sectionOf(s) === section)
                    .map((s) => (
                      <One key={s.key} of={s} />
                    ))}
                </ul>
              </section>
            ))}
          </div>
        )
      }}
    </Show>
  )
}
