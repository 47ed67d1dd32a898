// SPDX-License-Identifier: EUPL-1.2
// Texts stand in Swedish and English side by side, beside the code that shows them:
//
//   const t = texts({ found: ['{n} larm', '{n} {n|alert|alerts}'] })
//   t('found', { n: 3 })
//
// `{n}` is a value, `{n|one|many}` a word that depends on it. test/texts.mjs finds what is unused,
// empty, or has other values in one language than in the other. The build takes the tables out
// (texts.mjs) and leaves a number: the words of one language are fetched.
import { effect, signal } from '@preact/signals'
import { formatNumber } from './format'
import { type Language, language } from './prefs'

export type Values = Record<string, string | number>
export type Pair = readonly [sv: string, en: string]
type Words = Record<string, string>[]

// Where the words of a language are; the build knows.
declare const TEXTS: Record<Language, string> | undefined

const PLACE = /\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g
const AGAIN = 1000 // ms

export function fill(text: string, values: Values = {}): string {
  return text.replace(PLACE, (whole, name: string, one?: string, many?: string) => {
    const value = values[name]
    if (value === undefined) return whole
    if (many !== undefined) return (value === 1 ? one : many) ?? ''
    return typeof value === 'number' ? formatNumber(value) : value
  })
}

const words = signal<Words>([])

export function texts<K extends string>(table: Record<K, Pair> | number) {
  return (key: K, values?: Values) => {
    const text =
      typeof table === 'number'
        ? words.value[table]?.[key]
        : table[key][language.value === 'sv' ? 0 : 1]
    return fill(text ?? '', values)
  }
}

async function fetchWords(url: string): Promise<Words> {
  for (;;) {
    const answer = await fetch(url).catch(() => null)
    const found = answer?.ok ? await answer.json().catch(() => null) : null
    if (found) return found
    await new Promise((done) => setTimeout(done, AGAIN))
  }
}

// Has the words of the language that is chosen, now and whenever another one is; resolves when there
// are some.
export function learnWords(): Promise<void> {
  const urls = typeof TEXTS === 'undefined' ? undefined : TEXTS
  if (!urls) return Promise.resolve()
  return new Promise((done) => {
    effect(() => {
      const wanted = language.value
      void fetchWords(urls[wanted]).then((found) => {
        if (language.peek() === wanted) words.value = found
        done()
      })
    })
  })
}

// Of what the API says in both languages.
export function pick(both: { sv?: string; en?: string } | null | undefined): string {
  return both?.[language.value] ?? both?.en ?? both?.sv ?? ''
}

// What is wrong with what somebody wrote; few texts have no Swedish.
export const sayWrong = (en: string, sv: string | undefined): string =>
  pick({ en, ...(sv && { sv }) })

// A rule's title; Vaka's own rules have one in Swedish.
export const titleOf = (rule: { title: string | null; title_sv?: string | null }): string =>
  (language.value === 'sv' && rule.title_sv) || rule.title || ''
