// SPDX-License-Identifier: EUPL-1.2
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { joinParts, narrow, partsOf, placeAt, splitQuery, valueText } from '../src/lib/kql'

test('a bar in quotes or behind a backslash begins no pipes', () => {
  assert.deepEqual(splitQuery('a: "x | y" and b\\|c | count by d'), {
    filter: 'a: "x | y" and b\\|c',
    pipes: '| count by d'
  })
  assert.deepEqual(splitQuery('| count'), { filter: '', pipes: '| count' })
  assert.deepEqual(splitQuery('word'), { filter: 'word', pipes: '' })
})

test('what has to hold stands between the outermost ands', () => {
  const cases: [string, string[]][] = [
    ['', []],
    ['*', []],
    ['a: 1', ['a: 1']],
    ['a: 1 and not b: "x and y" AND (c or d)', ['a: 1', 'not b: "x and y"', '(c or d)']],
    ['(a: 1 and b: 2) and c', ['a: 1', 'b: 2', 'c']],
    ['a and b or c', ['a and b or c']],
    ['candy and sandor', ['candy', 'sandor']],
    ['not (a and b)', ['not (a and b)']],
    ['(a) and (b)', ['(a)', '(b)']]
  ]
  for (const [filter, parts] of cases) assert.deepEqual(partsOf(filter), parts, filter)
})

test('a filter is narrowed once by each term, and keeps what it meant', () => {
  assert.equal(narrow('a: 1 | count', 'b: 2'), 'a: 1 and b: 2')
  assert.equal(narrow('a or b', 'c'), '(a or b) and c')
  assert.equal(narrow('a and c', 'c'), 'a and c')
  assert.equal(narrow('', 'not c'), 'not c')
  assert.equal(joinParts([]), '')
})

test('what could come next is told by what stands in front', () => {
  const at = (query: string) => placeAt(query, query.length)
  assert.deepEqual(at('use'), { kind: 'field', from: 0, text: 'use' })
  assert.deepEqual(at('user.name: an'), { kind: 'value', field: 'user.name', from: 11, text: 'an' })
  assert.deepEqual(at('user.name: "anna b'), {
    kind: 'value',
    field: 'user.name',
    from: 11,
    text: 'anna b'
  })
  assert.deepEqual(at('a | co'), { kind: 'pipe', from: 4, text: 'co' })
  assert.deepEqual(at('a | count by ho'), { kind: 'column', from: 13, text: 'ho' })
  assert.deepEqual(at('user.name: anna '), { kind: 'field', from: 16, text: '' })
})

test('a value is quoted where it would be read as something else', () => {
  assert.equal(valueText('anna.berg'), 'anna.berg')
  assert.equal(valueText('or'), '"or"')
  assert.equal(valueText('a"b \\'), '"a\\"b \\\\"')
})
