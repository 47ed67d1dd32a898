// SPDX-License-Identifier: EUPL-1.2
// A rule as it is written: what the server understands of it at once, and what it would have found,
// before it is kept.
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import lazy from 'preact-iso/lazy'
import { useLocation } from 'preact-iso/router'
import { get } from '../lib/api'
import { saveFile } from '../lib/files'
import { useLoad } from '../lib/load'
import { draftRule, ruleUrl, tryRules, type Verdict } from '../lib/rules'
import { texts } from '../lib/text'
import { sayProblem } from '../lib/toasts'
import type { Mark } from '../parts/editor'
import { Severity } from '../parts/marks'
import { Page } from '../parts/page'
import { Note, Show } from '../parts/states'
import { Trial } from './rules/trial'

const t = texts({
  rules: ['Regler', 'Rules'],
  title: ['Ny regel', 'New rule'],
  text: ['Regelns text', 'Text of the rule'],
  understood: ['Så förstås den', 'How it is understood'],
  asking: ['Läser …', 'Reading …'],
  right: ['Regeln kan användas.', 'The rule can be used.'],
  wrong: ['{n} {n|fel|fel}', '{n} {n|mistake|mistakes}'],
  line: ['Rad {line}', 'Line {line}'],
  warning: ['varning', 'warning'],
  past: ['I det förflutna', 'In the past'],
  pastFirst: ['Rätta felen först.', 'Mend the mistakes first.'],
  keep: ['Spara som fil', 'Save as a file'],
  keepText: [
    'Lägg filen i en mapp som inställningen rules namnger och kör vaka reload. Då söks också de senaste 30 dagarna igenom.',
    'Put the file into a folder that the setting rules names and run vaka reload. The last 30 days are then searched as well.'
  ],
  test: ['Prova den med', 'Test it with']
})

const Editor = lazy(() => import('../parts/editor'))
const WAIT = 400 // ms

const template = () => `title: What happened, in a few words
id: ${crypto.randomUUID()}
status: test
description: |
  Why it matters, and how an attacker does it.
author: 
date: ${new Date().toISOString().slice(0, 10)}
logsource:
  product: windows
  category: process_creation
detection:
  selection:
    Image|endswith: '\\example.exe'
  condition: selection
falsepositives:
  - None that is known
level: medium
vaka:
  respond:
    sv: Det första att göra.
    en: What to do first.
  tests:
    - name: the program is started
      fires: true
      event: {Channel: Microsoft-Windows-Sysmon/Operational, EventID: 1, Image: 'C:\\example.exe'}
`

// Own rules have ids of their own.
const renamed = (text: string) => text.replace(/^id: .*$/m, `id: ${crypto.randomUUID()}`)

function fileName(text: string): string {
  const title = /^title:\s*(.+)$/m.exec(text)?.[1] ?? 'rule'
  const plain = title
    .toLowerCase()
    .normalize('NFD')
    .replace(/[^a-z0-9]+/g, '_')
  return `${plain.replace(/^_|_$/g, '').slice(0, 60) || 'rule'}.yml`
}

interface CheckedProps {
  so: Verdict | null
  error: unknown
  onGo: (mark: Mark) => void
}

function Checked({ so, error, onGo }: CheckedProps) {
  if (error !== undefined) return <Note kind="bad">{sayProblem(error)}</Note>
  if (!so?.end) return <p class="quiet">{t('asking')}</p>
  const wrong = so.refused.filter((r) => !r.warning).length
  return (
    <div class="stack">
      <p role="status">
        <strong>{wrong > 0 ? t('wrong', { n: wrong }) : so.rules.length > 0 && t('right')}</strong>
      </p>
      {so.refused.length > 0 && (
        <ul class="plain-list">
          {so.refused.map((r) => (
            <li key={`${r.line} ${r.column} ${r.message}`}>
              <button type="button" class="link" onClick={() => onGo({ ...r })}>
                {t('line', { line: `${r.line}:${r.column}` })}
              </button>{' '}
              {r.warning && <span class="tag">{t('warning')}</span>}{' '}
              <span lang="en">{r.message}</span>
            </li>
          ))}
        </ul>
      )}
      <ul class="plain-list">
        {so.rules.map((r) => (
          <li key={r.id + r.title} class="line-marks">
            {r.level && <Severity level={r.level} />} <span>{r.title}</span>
          </li>
        ))}
      </ul>
    </div>
  )
}

function Edit({ begin }: { begin: string }) {
  const text = useSignal(begin)
  const so = useSignal<Verdict | null>(null)
  const error = useSignal<unknown>(undefined)
  const goTo = useSignal<Mark | null>(null)
  useEffect(() => {
    const stop = new AbortController()
    const timer = setTimeout(async () => {
      try {
        so.value = await tryRules(text.value, null, stop.signal, () => {})
        error.value = undefined
      } catch (problem) {
        if (!stop.signal.aborted) error.value = problem
      }
    }, WAIT)
    return () => {
      clearTimeout(timer)
      stop.abort()
    }
  }, [text.value])
  const ready = !!so.value?.end && so.value.rules.length > 0
  return (
    <div class="halves">
      <div class="stack">
        <Editor
          label={t('text')}
          begin={begin}
          marks={so.value?.refused ?? []}
          goTo={goTo.value}
          onValue={(next) => (text.value = next)}
        />
      </div>
      <div class="stack">
        <section class="panel" aria-labelledby="understood">
          <h2 id="understood">{t('understood')}</h2>
          <Checked so={so.value} error={error.value} onGo={(mark) => (goTo.value = mark)} />
        </section>
        <section class="panel" aria-labelledby="past">
          <h2 id="past">{t('past')}</h2>
          {!ready && <p class="quiet">{t('pastFirst')}</p>}
          <Trial text={text.value} ready={ready} />
        </section>
        <section class="panel" aria-labelledby="keep">
          <h2 id="keep">{t('keep')}</h2>
          <div class="stack">
            <p>{t('keepText')}</p>
            <p>
              {t('test')} <code>vaka rules test {fileName(text.value)}</code>
            </p>
            <div class="buttons">
              <button
                type="button"
                class="button first"
                disabled={!ready}
                onClick={() => saveFile(fileName(text.value), 'application/yaml', [text.value])}
              >
                {t('keep')}
              </button>
            </div>
          </div>
        </section>
      </div>
    </div>
  )
}

export default function RuleEdit() {
  const { from, q } = useLocation().query
  const begin = useLoad(`begin ${from} ${q}`, async (signal) => {
    if (q) return draftRule(q, signal)
    if (!from) return template()
    const rule = await get('/rules/{id}', { path: { id: from }, signal })
    return renamed(rule.text ?? template())
  })
  return (
    <Page title={t('title')}>
      <p class="back">
        <a href="/rules">{t('rules')}</a> {from && <a href={ruleUrl(from)}>{from}</a>}
      </p>
      <Show of={begin}>{(text) => <Edit key={text} begin={text} />}</Show>
    </Page>
  )
}
