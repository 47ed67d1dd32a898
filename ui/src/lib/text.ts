// SPDX-License-Identifier: EUPL-1.2
// Texts stand in Swedish and English side by side, beside the code that shows them:
//
//   const t = texts({ found: ['{n} larm', '{n} {n|alert|alerts}'] })
//   t('found', { n: 3 })
//
// `{n}` is a value, `{n|one|many}` a word that depends on it. test/text.test.ts finds what is unused,
// empty, or has other values in one language than in the other.
import { formatNumber } from './format'
import { language } from './prefs'

export type Values = Record<string, string | number>
export type Pair = readonly [sv: string, en: string]

const PLACE = /\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g

export function fill(text: string, values: Values = {}): string {
  return text.replace(PLACE, (whole, name: string, one?: string, many?: string) => {
    const value = values[name]
    if (value === undefined) return whole
    if (many !== undefined) return (value === 1 ? one : many) ?? ''
    return typeof value === 'number' ? formatNumber(value) : value
  })
}

export function texts<K extends string>(table: Record<K, Pair>) {
  return (key: K, values?: Values) => fill(table[key][language.value === 'sv' ? 0 : 1], values)
}

// Of what the API says in both languages.
export function pick(both: { sv?: string; en?: string } | null | undefined): string {
  return both?.[language.value] ?? both?.en ?? both?.sv ?? ''
}

// A rule's title; Vaka's own rules have one in Swedish.
export const titleOf = (rule: { title: string | null; title_sv?: string | null }): string =>
  (language.value === 'sv' && rule.title_sv) || rule.title || ''
