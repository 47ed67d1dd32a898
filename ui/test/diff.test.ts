// SPDX-License-Identifier: EUPL-1.2
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { diffLines } from '../src/lib/diff'

const told = (a: string, b: string) =>
  diffLines(a, b).map(
    ({ kind, text }) => `${{ same: ' ', old: '-', new: '+', gap: '.' }[kind]}${text}`
  )

test('texts that are the same differ in nothing', () => {
  assert.deepEqual(told('a\nb\n', 'a\nb\n'), [])
  assert.deepEqual(told('a\nb', 'a\nb\n'), [])
})

test('what went stands before what came, with a few lines around', () => {
  assert.deepEqual(told('a\nb\nc\nd\ne\nf\ng\n', 'a\nb\nc\nd\nE\nf\ng\n'), [
    '.…',
    ' c',
    ' d',
    '-e',
    '+E',
    ' f',
    ' g'
  ])
  assert.deepEqual(told('a\n', 'b\na\nc\n'), ['+b', ' a', '+c'])
  assert.deepEqual(told('a\nb\n', 'b\n'), ['-a', ' b'])
})
