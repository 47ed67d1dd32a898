// SPDX-License-Identifier: EUPL-1.2
// A rule as it is written: what the server understands of it at once, what it would have found, before
// it is kept, and what it was before. Fetched with the editor: who only reads rules needs none of it.
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { useLocation, useRoute } from 'preact-iso/router'
import { get } from '../../lib/api'
import { saveFile } from '../../lib/files'
import { useLoad } from '../../lib/load'
import { draftRule, keepRule, ruleUrl, tryRules, type Verdict } from '../../lib/rules'
import { sayWrong, texts } from '../../lib/text'
import { sayProblem, toast } from '../../lib/toasts'
import Editor, { type Mark } from '../../parts/editor'
import { Severity } from '../../parts/marks'
import { Page } from '../../parts/page'
import { Note, Show } from '../../parts/states'
import { Trial } from './trial'
import { Versions } from './versions'

const t = texts({
  rules: ['Regler', 'Rules'],
  title: ['Ny regel', 'New rule'],
  change: ['Ändra regel', 'Change a rule'],
  text: ['Regelns text', 'Text of the rule'],
  understood: ['Så förstås den', 'How it is understood'],
  asking: ['Läser …', 'Reading …'],
  right: ['Regeln kan användas.', 'The rule can be used.'],
  wrong: ['{n} {n|fel|fel}', '{n} {n|mistake|mistakes}'],
  line: ['Rad {line}', 'Line {line}'],
  warning: ['varning', 'warning'],
  tests: ['Prov', 'Tests'],
  noTests: [
    'Texten har inga prov. Ett som ska larma och ett som ska vara tyst visar att regeln gör det den ska.',
    'The text has no tests. One that has to fire and one that has to be silent show that the rule does what it should.'
  ],
  goodTests: ['{n} {n|prov|prov} går igenom.', '{n} {n|test passes|tests pass}.'],
  badTests: ['{n} {n|prov|prov} går inte igenom.', '{n} {n|test does|tests do} not pass.'],
  passed: ['rätt', 'right'],
  failed: ['fel', 'wrong'],
  fires: ['ska larma', 'has to fire'],
  silent: ['ska vara tyst', 'has to be silent'],
  past: ['I det förflutna', 'In the past'],
  pastFirst: ['Rätta felen först.', 'Mend the mistakes first.'],
  keep: ['Spara', 'Save'],
  keepText: [
    'Regeln gäller några sekunder efter att du sparat, och de senaste 30 dagarna söks igenom. Den text som gällde förut finns kvar.',
    'The rule is in force seconds after you save, and the last 30 days are searched. The text that was in force before is kept.'
  ],
  keepDo: ['Spara regeln', 'Save the rule'],
  keeping: ['Sparad. Väntar på att den gäller …', 'Saved. Waiting for it to be in force …'],
  kept: ['Regeln gäller.', 'The rule is in force.'],
  file: ['Spara som fil', 'Save as a file'],
  unsaved: ['Ändringarna är inte sparade.', 'The changes are not saved.'],
  newTitle: ['Vad som hände, med några få ord', 'What happened, in a few words'],
  newWhy: [
    'Varför det spelar roll, och hur en angripare gör.',
    'Why it matters, and how an attacker does it.'
  ],
  newMistakes: ['Inget som är känt', 'None that is known'],
  newTest: ['programmet startas', 'the program is started']
})

const WAIT = 400 // ms

const template = () => `title: ${t('newTitle')}
id: ${crypto.randomUUID()}
status: test
description: |
  ${t('newWhy')}
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
  - ${t('newMistakes')}
level: medium
vaka:
  respond:
    sv: Det första att göra.
    en: What to do first.
  tests:
    - name: ${t('newTest')}
      fires: true
      event: {Channel: Microsoft-Windows-Sysmon/Operational, EventID: 1, Image: 'C:\\example.exe'}
`

// Own rules have ids of their own.
const renamed = (text: string) => text.replace(/^id: .*$/m, `id: ${crypto.randomUUID()}`)

const titleIn = (text: string) => /^title:\s*(.+)$/m.exec(text)?.[1]

function fileName(text: string): string {
  const title = titleIn(text) ?? 'rule'
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
              <span>{sayWrong(r.message, r.message_sv)}</span>
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

const tick = (ok: boolean) => (
  <span class={ok ? 'good' : 'loud'}>{t(ok ? 'passed' : 'failed')}</span>
)

// The tests that the text carries, as the server ran them on it.
function Tests({ so, onGo }: Pick<CheckedProps, 'so' | 'onGo'>) {
  if (!so?.end) return <p class="quiet">{t('asking')}</p>
  if (so.tests.length === 0) return <p class="quiet">{t('noTests')}</p>
  const bad = so.tests.filter((x) => !x.passed).length
  return (
    <div class="stack">
      <p role="status">
        <strong>
          {bad > 0 ? t('badTests', { n: bad }) : t('goodTests', { n: so.tests.length })}
        </strong>
      </p>
      <ul class="plain-list">
        {so.tests.map((x) => (
          <li key={`${x.line} ${x.name}`}>
            {tick(x.passed)}{' '}
            <button
              type="button"
              class="link"
              onClick={() => onGo({ line: x.line, column: 1, warning: false })}
            >
              {t('line', { line: x.line })}
            </button>{' '}
            {x.name} <span class="tag">{t(x.fires ? 'fires' : 'silent')}</span>
            {x.why && <span class="small block">{sayWrong(x.why, x.why_sv)}</span>}
          </li>
        ))}
      </ul>
    </div>
  )
}

interface EditProps {
  id: string | undefined // of the one that is changed
  begin: string
  kept: string // what was kept last
  onKept: (text: string) => void
  onBack: (text: string) => void
}

// Nobody loses what he wrote by closing the window.
function useGuard(dirty: boolean) {
  useEffect(() => {
    if (!dirty) return
    const ask = (event: BeforeUnloadEvent) => event.preventDefault()
    addEventListener('beforeunload', ask)
    return () => removeEventListener('beforeunload', ask)
  }, [dirty])
}

function Edit({ id, begin, kept, onKept, onBack }: EditProps) {
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
  const dirty = id !== undefined && text.value !== kept
  useGuard(dirty)
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
        <section class="panel" aria-labelledby="tests">
          <h2 id="tests">{t('tests')}</h2>
          <Tests so={so.value} onGo={(mark) => (goTo.value = mark)} />
        </section>
        <section class="panel" aria-labelledby="past">
          <h2 id="past">{t('past')}</h2>
          {so.value?.end && !ready && <p class="quiet">{t('pastFirst')}</p>}
          <Trial text={text.value} ready={ready} />
        </section>
        <Keep id={id} text={text.value} ready={ready} dirty={dirty} onKept={onKept} />
        {id && <Versions id={id} text={text.value} kept={kept} onBack={onBack} />}
      </div>
    </div>
  )
}

interface KeepProps {
  id: string | undefined
  text: string
  ready: boolean
  dirty: boolean
  onKept: (text: string) => void
}

function Keep({ id, text, ready, dirty, onKept }: KeepProps) {
  const { route } = useLocation()
  const busy = useSignal(false)
  const error = useSignal<unknown>(undefined)
  const keep = async () => {
    busy.value = true
    error.value = undefined
    try {
      const named = await keepRule(id, text)
      onKept(text)
      toast(t('kept'))
      if (!id) route(ruleUrl(named))
    } catch (problem) {
      error.value = problem
    }
    busy.value = false
  }
  return (
    <section class="panel" aria-labelledby="keep">
      <h2 id="keep">{t('keep')}</h2>
      <div class="stack">
        <p>{t('keepText')}</p>
        <div class="buttons">
          <button
            type="button"
            class="button first"
            disabled={!ready || busy.value || !(dirty || id === undefined)}
            onClick={() => void keep()}
          >
            {t('keepDo')}
          </button>
          <button
            type="button"
            class="button"
            disabled={!ready}
            onClick={() => saveFile(fileName(text), 'application/yaml', [text])}
          >
            {t('file')}
          </button>
        </div>
        <p role="status" class="quiet">
          {busy.value ? t('keeping') : dirty && t('unsaved')}
        </p>
        {error.value !== undefined && <Note kind="bad">{sayProblem(error.value)}</Note>}
      </div>
    </section>
  )
}

export default function RuleEdit() {
  const { from, q } = useLocation().query
  const { id } = useRoute().params
  const kept = useSignal<string | null>(null)
  const back = useSignal<{ text: string; n: number } | null>(null)
  const begin = useLoad(`begin ${id} ${from} ${q}`, async (signal) => {
    if (q) return draftRule(q, signal)
    const of = id ?? from
    if (!of) return template()
    const { text } = await get('/rules/{id}', { path: { id: of }, signal })
    return id ? (text ?? '') : renamed(text ?? template())
  })
  const origin = id ?? from
  return (
    <Page title={t(id ? 'change' : 'title')}>
      <p class="back">
        <a href="/rules">{t('rules')}</a>
        {origin && (
          <>
            {' / '}
            <a href={ruleUrl(origin)}>{titleIn(begin.value ?? '') ?? origin}</a>
          </>
        )}
      </p>
      <Show of={begin}>
        {(text) => (
          <Edit
            key={back.value?.n}
            id={id}
            begin={back.value?.text ?? text}
            kept={kept.value ?? text}
            onKept={(now) => (kept.value = now)}
            onBack={(old) => (back.value = { text: old, n: (back.value?.n ?? 0) + 1 })}
          />
        )}
      </Show>
    </Page>
  )
}
