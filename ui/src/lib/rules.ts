// SPDX-License-Identifier: EUPL-1.2
// Rules: all that are in force, and what the server says of the text of one.
import { get, Problem, post, put, type Schema } from './api'
import { readLines } from './find'
import { language } from './prefs'

export type Rule = Schema<'Rule'>
export type Trial = Schema<'TrialLine'>
export type Found = NonNullable<Trial['found']>
export type Refused = NonNullable<Trial['refused']>
export type Tested = NonNullable<Trial['test']>
export type Noise = Schema<'Noise'>['noise'][number]

const PAGE = 500

export const ruleUrl = (id: string) => `/rules/${encodeURIComponent(id)}`
export const idOf = (rule: Pick<Rule, 'id' | 'title'>) => rule.id ?? rule.title ?? ''

// Of the title that is shown (titleOf): Vaka's own rules have one in Swedish.
export const langOf = (rule: Pick<Rule, 'title_sv'>) =>
  language.value === 'sv' && rule.title_sv ? undefined : 'en'

// What it looks for; Vaka's own rules say it in Swedish.
export const aboutOf = (rule: Pick<Rule, 'description' | 'description_sv'>): string =>
  (language.value === 'sv' && rule.description_sv) || rule.description || ''

export const aboutLangOf = (rule: Pick<Rule, 'description_sv'>) =>
  language.value === 'sv' && rule.description_sv ? undefined : 'en'

export async function allRules(signal: AbortSignal): Promise<Rule[]> {
  const found: Rule[] = []
  let cursor: string | undefined
  do {
    const query = { limit: PAGE, ...(cursor && { cursor }) }
    const page = await get('/rules', { query, signal })
    found.push(...page.rules)
    cursor = page.next
  } while (cursor)
  return found
}

// Alerts that each rule would have made in the past, by its id.
export async function fetchPast(signal: AbortSignal): Promise<Map<string, number>> {
  const { retro } = await get('/retro', { signal })
  return new Map(retro.map(({ rule, found }) => [rule, found.alerts]))
}

// How much each rule fired of late, by its id.
export async function fetchNoise(signal: AbortSignal): Promise<Map<string, Noise>> {
  const { noise } = await get('/noise', { signal })
  return new Map(noise.map((n) => [n.rule, n]))
}

// T1003.001 of attack.t1003.001
export const techniquesOf = (rule: Rule) =>
  rule.tags.flatMap((tag) => /^attack\.(t\d{4}(?:\.\d{3})?)$/i.exec(tag)?.[1]?.toUpperCase() ?? [])

export const partsOf = ({ product, category, service }: Rule) =>
  [product, category, service].filter((part) => part !== null)
export const sourceOf = (rule: Rule) => partsOf(rule).join(' / ')

export interface Verdict {
  rules: NonNullable<Trial['rule']>[]
  refused: Refused[]
  tests: Tested[]
  found: Found[]
  progress?: Record<string, unknown>
  end?: NonNullable<Trial['end']> & { detail?: string; detail_sv?: string }
}

// What is told of a text, as it comes; with `from` also what it finds in the records.
export async function tryRules(
  text: string,
  from: string | null,
  signal: AbortSignal,
  tell: (so: Verdict) => void
): Promise<Verdict> {
  let so: Verdict = { rules: [], refused: [], tests: [], found: [] }
  const hear = (line: Trial) => {
    if (line.rule) so = { ...so, rules: [...so.rules, line.rule] }
    if (line.refused) so = { ...so, refused: [...so.refused, line.refused] }
    if (line.test) so = { ...so, tests: [...so.tests, line.test] }
    if (line.found) so = { ...so, found: [...so.found, line.found] }
    if (line.progress) so = { ...so, progress: line.progress }
    if (line.end) so = { ...so, end: line.end }
    tell(so)
  }
  if (from === null) await readLines('/rules/check', { text }, signal, hear)
  else await readLines('/rules/try', { text, from }, signal, hear)
  return so
}

// The filter of a search as the text of a rule.
export async function draftRule(query: string, signal: AbortSignal): Promise<string> {
  let text = ''
  await readLines<Schema<'DraftLine'>>('/rules/draft', { query }, signal, ({ draft }) => {
    if (draft) text = draft.text
  })
  return text
}

const SOON = 500 // ms
const LONGEST = 60_000
const pause = (ms: number) => new Promise((done) => setTimeout(done, ms))

// What is changed of rules is in force a moment later, when the process that answers has begun anew.
// Waits for it to be so; gives up in silence, for what was asked is done.
export async function untilSo(isSo: () => Promise<boolean>): Promise<void> {
  for (let left = LONGEST / SOON; left > 0; left--) {
    await pause(SOON)
    try {
      if (await isSo()) return
    } catch (error) {
      if (!(error instanceof Problem) || error.status === 401) throw error
    }
  }
}

const textOf = async (id: string) => (await get('/rules/{id}', { path: { id } })).text?.trim()

// Keeps the text of a rule, and waits until it is in force. Gives its id.
export async function keepRule(id: string | undefined, text: string): Promise<string> {
  const body = { text }
  const kept = id
    ? await put('/rules/{id}', { path: { id }, body })
    : await post('/rules', { body })
  await untilSo(async () => (await textOf(kept.id)) === text.trim())
  return kept.id
}

export async function isGone(id: string): Promise<boolean> {
  const gone = (error: unknown) => error instanceof Problem && error.status === 404
  return get('/rules/{id}', { path: { id } }).then(() => false, gone)
}
