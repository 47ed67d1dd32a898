// SPDX-License-Identifier: EUPL-1.2
// What a rule of one's own was: who kept it when, what differs from the text at hand, and the way back.
import { useSignal } from '@preact/signals'
import { get, type Schema } from '../../lib/api'
import { diffLines } from '../../lib/diff'
import { useLoad } from '../../lib/load'
import { texts } from '../../lib/text'
import { Time } from '../../parts/marks'
import { Empty, Show } from '../../parts/states'

const t = texts({
  versions: ['Versioner', 'Versions'],
  none: ['Inget är sparat än.', 'Nothing was kept yet.'],
  save: ['sparad av {by}', 'kept by {by}'],
  drop: ['borttagen av {by}', 'taken away by {by}'],
  compare: ['Jämför', 'Compare'],
  same: ['Samma som texten här.', 'The same as the text here.'],
  label: ['Från versionen till texten här', 'From the version to the text here'],
  back: ['Hämta den här versionen', 'Take this version'],
  backText: ['Den gäller först när du sparar.', 'It is in force when you save, and not before.'],
  removed: ['borttagen rad', 'line removed'],
  added: ['ny rad', 'line added']
})

type Version = Schema<'RuleVersions'>['versions'][number]

interface ChosenProps {
  id: string
  version: string
  text: string
  onBack: (text: string) => void
}

function Chosen({ id, version, text, onBack }: ChosenProps) {
  const was = useLoad(`version ${id} ${version}`, (signal) =>
    get('/rules/{id}/versions/{version}', { path: { id, version }, signal })
  )
  return (
    <Show of={was}>
      {(old) => {
        const lines = diffLines(old.text, text)
        if (lines.length === 0) return <p class="quiet">{t('same')}</p>
        return (
          <div class="stack">
            <p class="quiet small">{t('label')}</p>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: who has no mouse scrolls it */}
            <pre class="raw diff" tabIndex={0}>
              {lines.map(({ kind, text: line }, n) => (
                <span key={n} class={kind}>
                  {kind === 'old' && <span class="unseen">{t('removed')}: </span>}
                  {kind === 'new' && <span class="unseen">{t('added')}: </span>}
                  {line}
                </span>
              ))}
            </pre>
            <div class="buttons">
              <button type="button" class="button" onClick={() => onBack(old.text)}>
                {t('back')}
              </button>
              <span class="quiet small">{t('backText')}</span>
            </div>
          </div>
        )
      }}
    </Show>
  )
}

interface VersionsProps {
  id: string
  kept: string // what was kept last: another text and there is one more
  text: string
  onBack: (text: string) => void
}

export function Versions({ id, kept, text, onBack }: VersionsProps) {
  const chosen = useSignal<string | null>(null)
  const page = useLoad(`versions ${id} ${kept}`, (signal) =>
    get('/rules/{id}/versions', { path: { id }, signal })
  )
  const line = ({ what, at, by, version }: Version) => (
    <li key={at}>
      <div class="task">
        <span>
          <Time at={at} /> <span class="small">{t(what, { by })}</span>
        </span>
        {version && (
          <button
            type="button"
            class="button"
            aria-pressed={chosen.value === version}
            onClick={() => (chosen.value = chosen.value === version ? null : version)}
          >
            {t('compare')}
          </button>
        )}
      </div>
      {version && chosen.value === version && (
        <Chosen id={id} version={version} text={text} onBack={onBack} />
      )}
    </li>
  )
  return (
    <section class="panel" aria-labelledby="versions">
      <h2 id="versions">{t('versions')}</h2>
      <Show of={page}>
        {({ versions }) =>
          versions.length === 0 ? (
            <Empty>{t('none')}</Empty>
          ) : (
            <ul class="plain-list">{versions.map(line)}</ul>
          )
        }
      </Show>
    </section>
  )
}
