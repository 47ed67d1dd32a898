// SPDX-License-Identifier: EUPL-1.2
// Where a query is written: what could come next is offered (as the ARIA practices have a combobox),
// and what is wrong is shown where it is.
import { useSignal } from '@preact/signals'
import type { TargetedKeyboardEvent } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'
import { Problem } from '../../lib/api'
import type { Range } from '../../lib/range'
import { texts } from '../../lib/text'
import { sayProblem } from '../../lib/toasts'
import { Note } from '../../parts/states'
import { type Offer, offersAt } from './complete'

const t = texts({
  query: ['Sökning', 'Query'],
  hint: [
    'user.name: anna and not source.ip: 10.0.0.0/8 | count by host.name',
    'user.name: anna and not source.ip: 10.0.0.0/8 | count by host.name'
  ],
  offers: ['Förslag', 'Suggestions'],
  offered: ['{n} förslag', '{n} {n|suggestion|suggestions}'],
  instead: ['Skriv {word}', 'Write {word}']
})

const WAIT = 150 // ms

interface Offering {
  offers: Offer[]
  from: number
  at: number // the chosen one; -1: none
}
const NONE: Offering = { offers: [], from: 0, at: -1 }

interface BarProps {
  value: string
  fields: string[]
  range: Range
  onValue: (query: string) => void
  onSearch: (query: string) => void
}

export function QueryBar({ value, fields, range, onValue, onSearch }: BarProps) {
  const id = useId()
  const input = useRef<HTMLInputElement>(null)
  const asking = useRef<AbortController | null>(null)
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const shown = useSignal<Offering>(NONE)
  const { offers, at } = shown.value
  const hide = () => {
    clearTimeout(timer.current)
    asking.current?.abort()
    shown.value = NONE
  }
  useEffect(() => hide, [])
  const offer = () => {
    clearTimeout(timer.current)
    asking.current?.abort()
    timer.current = setTimeout(async () => {
      const stop = new AbortController()
      asking.current = stop
      const box = input.current
      if (!box) return
      try {
        const found = await offersAt(
          box.value,
          box.selectionStart ?? box.value.length,
          fields,
          range,
          stop.signal
        )
        if (!stop.signal.aborted)
          shown.value = { offers: found.offers, from: found.place.from, at: -1 }
      } catch {
        // Half a query has no values to offer.
        if (!stop.signal.aborted) shown.value = NONE
      }
    }, WAIT)
  }
  const take = (taken: Offer) => {
    const box = input.current
    if (!box) return
    const { from } = shown.value
    box.setRangeText(taken.text, from, box.selectionStart ?? box.value.length, 'end')
    onValue(box.value)
    box.focus()
    offer()
  }
  const step = (by: number) => {
    shown.value = { ...shown.value, at: (at + by + offers.length) % offers.length }
  }
  const onKey = (event: TargetedKeyboardEvent<HTMLInputElement>) => {
    const chosen = offers[at]
    if (event.key === 'ArrowDown' && offers.length) step(1)
    else if (event.key === 'ArrowUp' && offers.length) step(at < 0 ? 0 : -1)
    else if (event.key === 'Escape' && offers.length) hide()
    else if ((event.key === 'Enter' || event.key === 'Tab') && chosen) take(chosen)
    else if (event.key === 'Enter') {
      hide()
      onSearch(event.currentTarget.value)
    } else return
    event.preventDefault()
  }
  return (
    <div class="query-bar">
      <label class="unseen" for={`${id}-q`}>
        {t('query')}
      </label>
      <input
        id={`${id}-q`}
        ref={input}
        class="input mono"
        type="text"
        role="combobox"
        aria-autocomplete="list"
        aria-expanded={offers.length > 0}
        aria-controls={`${id}-offers`}
        aria-activedescendant={at >= 0 ? `${id}-${at}` : undefined}
        value={value}
        placeholder={t('hint')}
        spellcheck={false}
        autocapitalize="none"
        autocomplete="off"
        onInput={(event) => {
          onValue(event.currentTarget.value)
          offer()
        }}
        onKeyDown={onKey}
        onBlur={hide}
      />
      <div
        id={`${id}-offers`}
        role="listbox"
        aria-label={t('offers')}
        class="offers"
        hidden={offers.length === 0}
      >
        {offers.map((o, n) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the field's
          <div
            key={o.text}
            id={`${id}-${n}`}
            role="option"
            aria-selected={n === at}
            tabIndex={-1}
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => take(o)}
          >
            <span class="mono">{o.shown}</span>
            <span class="quiet small">{o.hint}</span>
          </div>
        ))}
      </div>
      <span class="unseen" role="status">
        {offers.length > 0 && t('offered', { n: offers.length })}
      </span>
    </div>
  )
}

interface Mistake {
  before: string
  wrong: string
  behind: string
  text: string
  instead: string | undefined // the whole query, mended
  word: string
}

// "line 1, column 3: `cont` is none of …; did you mean `count`?", or that in Swedish; columns count characters.
function mistakeIn(query: string, detail: string): Mistake | null {
  const found = /^(?:line|rad) (\d+), (?:column|kolumn) (\d+): ([\s\S]*)$/.exec(detail)
  if (!found) return null
  const lines = query.split('\n')
  const number = Number(found[1]) - 1
  const line = lines[number] ?? ''
  const before = [...line].slice(0, Number(found[2]) - 1).join('')
  const text = found[3] ?? ''
  const rest = line.slice(before.length)
  const named = /`([^`]+)`/.exec(text)?.[1]
  const wrong =
    named && rest.startsWith(named) ? named : (/^[\p{L}\d_.@*-]+|^./u.exec(rest)?.[0] ?? '')
  const behind = rest.slice(wrong.length)
  const word = /(?:did you mean|menade du) `([^`]+)`\?/.exec(text)?.[1] ?? ''
  lines[number] = before + word + behind
  return { before, wrong, behind, text, word, instead: word ? lines.join('\n') : undefined }
}

interface WrongProps {
  query: string
  error: unknown
  onSearch: (query: string) => void
}

export function QueryWrong({ query, error, onSearch }: WrongProps) {
  const said = error instanceof Problem && error.status === 400 ? error.message : ''
  const mistake = mistakeIn(query, said)
  if (!mistake) return <Note kind="bad">{said || sayProblem(error)}</Note>
  const { before, wrong, behind, text, instead, word } = mistake
  return (
    <Note kind="bad">
      <pre class="wrong-query">
        {before}
        <mark>{wrong || ' '}</mark>
        {behind}
      </pre>
      <p>{text.charAt(0).toUpperCase() + text.slice(1)}</p>
      {instead && (
        <button type="button" class="button" onClick={() => onSearch(instead)}>
          {t('instead', { word })}
        </button>
      )}
    </Note>
  )
}
