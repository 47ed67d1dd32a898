// SPDX-License-Identifier: EUPL-1.2
// What stands where in a query: a filter, and pipes (docs/search.md). Whether it is right is the
// server's to say.
import { kql } from './links'

export interface Split {
  filter: string
  pipes: string // with the first bar; empty without pipes
}

// Calls for every character that is neither in quotes nor escaped.
function each(text: string, hear: (char: string, at: number, depth: number) => boolean) {
  let quoted = false
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const char = text[at] as string
    if (char === '\\') at++
    else if (char === '"') quoted = !quoted
    else if (!quoted) {
      if (char === ')') depth--
      if (hear(char, at, depth)) return
      if (char === '(') depth++
    }
  }
}

export function splitQuery(text: string): Split {
  let bar = text.length
  each(text, (char, at) => {
    if (char === '|') bar = at
    return char === '|'
  })
  return { filter: text.slice(0, bar).trim(), pipes: text.slice(bar).trim() }
}

// Is all of it within one pair of parentheses?
function isWrapped(text: string): boolean {
  let end = -1
  if (text[0] !== '(') return false
  each(text, (char, at, depth) => {
    if (char === ')' && depth === 0) end = at
    return end >= 0
  })
  return end === text.length - 1
}

// Where the operators are that bind the whole together.
function operators(text: string) {
  const found: { word: string; at: number }[] = []
  each(text, (char, at, depth) => {
    const before = at === 0 || /[\s)]/.test(text[at - 1] as string)
    const word =
      depth === 0 && before && /[ao]/i.test(char) && /^(and|or)(?=[\s(])/i.exec(text.slice(at))
    if (word) found.push({ word: word[0].toLowerCase(), at })
    return false
  })
  return found
}

// What has to hold, each for itself: the parts between the outermost `and`s.
export function partsOf(filter: string): string[] {
  const text = filter.trim()
  if (text === '' || text === '*') return []
  if (isWrapped(text)) {
    const within = partsOf(text.slice(1, -1))
    return within.length > 1 ? within : [text]
  }
  const found = operators(text)
  if (found.some(({ word }) => word === 'or')) return [text]
  let from = 0
  const parts: string[] = []
  for (const { word, at } of found) {
    parts.push(text.slice(from, at))
    from = at + word.length
  }
  return [...parts, text.slice(from)].flatMap((part) =>
    found.length > 0 ? partsOf(part) : [part.trim()]
  )
}

const isEither = (part: string) => operators(part).some(({ word }) => word === 'or')

export function joinParts(parts: string[]): string {
  if (parts.length < 2) return parts[0] ?? ''
  return parts.map((part) => (isEither(part) ? `(${part})` : part)).join(' and ')
}

// The filter, and something else that has to hold. What is there already is not said twice.
export function narrow(query: string, term: string): string {
  const parts = partsOf(splitQuery(query).filter)
  return joinParts(parts.includes(term) ? parts : [...parts, term])
}

// What could stand where somebody writes.
export type Place =
  | { kind: 'field' | 'pipe' | 'column'; from: number; text: string }
  | { kind: 'value'; field: string; from: number; text: string }

const VALUE = /([\w.@*-]+)\s*:\s*\(?\s*("(?:[^"\\]|\\.)*|[^\s()":]*)$/
const WORD = /[\w.@*-]*$/

export function placeAt(query: string, caret: number): Place {
  const before = query.slice(0, caret)
  const { pipes } = splitQuery(before)
  const word = WORD.exec(before)?.[0] ?? ''
  const from = caret - word.length
  if (pipes) {
    const last = pipes.slice(pipes.lastIndexOf('|') + 1)
    return { kind: /^\s*\w*$/.test(last) ? 'pipe' : 'column', from, text: word }
  }
  const value = VALUE.exec(before)
  if (!value) return { kind: 'field', from, text: word }
  const [, field = '', text = ''] = value
  return { kind: 'value', field, from: caret - text.length, text: text.replace(/^"/, '') }
}

const PLAIN = /^[\w.@-]+$/
const OPERATOR = /^(and|or|not)$/i

export function valueText(value: string): string {
  return PLAIN.test(value) && !OPERATOR.test(value) ? value : kql(undefined, value)
}
