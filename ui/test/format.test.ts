// SPDX-License-Identifier: EUPL-1.2
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  compare,
  formatAgo,
  formatBytes,
  formatNumber,
  formatSpan,
  formatTime
} from '../src/lib/format'
import { language } from '../src/lib/prefs'
import { fill } from '../src/lib/text'

const spaced = (text: string) => text.replace(/\s/g, ' ')

test('numbers and sizes are written as the language has them', () => {
  language.value = 'sv'
  assert.equal(spaced(formatNumber(1234567)), '1 234 567')
  assert.equal(spaced(formatBytes(76678688768)), '76,7 GB')
  language.value = 'en'
  assert.equal(formatNumber(1234567), '1,234,567')
  assert.equal(spaced(formatBytes(0)), '0 bytes')
})

test('times are those of Sweden, in summer and in winter', () => {
  language.value = 'sv'
  assert.match(formatTime(new Date('2026-06-19T20:30:00Z'), 'whole'), /22:30:00/)
  assert.match(formatTime(new Date('2026-12-24T20:30:00Z'), 'whole'), /21:30:00/)
  assert.match(formatTime(new Date('2026-12-24T20:30:00Z')), /24 dec\./)
})

test('what was is told in whole steps', () => {
  language.value = 'sv'
  assert.equal(spaced(formatAgo(-185)), 'för 3 min sen')
  language.value = 'en'
  assert.equal(formatAgo(-86400 * 3), '3 days ago')
})

test('spans have two steps at most', () => {
  assert.equal(formatSpan(59), '59 s')
  assert.equal(formatSpan(3600 * 3 + 12 * 60), '3 h 12 min')
  assert.equal(formatSpan(-(86400 * 2 + 3600)), '2 d 1 h')
})

test('å, ä and ö come last in Swedish', () => {
  language.value = 'sv'
  assert.deepEqual(['ö', 'a', 'z', 'å', 'ä'].sort(compare), ['a', 'z', 'å', 'ä', 'ö'])
  assert.deepEqual(['pc-10', 'pc-9'].sort(compare), ['pc-9', 'pc-10'])
})

test('a text takes its values, and words by number', () => {
  language.value = 'en'
  assert.equal(fill('{n} {n|alert|alerts}', { n: 1 }), '1 alert')
  assert.equal(fill('{n} {n|alert|alerts}', { n: 1200 }), '1,200 alerts')
  assert.equal(fill('{who} {other}', { who: '{n}' }), '{n} {other}')
})
