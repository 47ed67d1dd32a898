// SPDX-License-Identifier: EUPL-1.2
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatWall, parseWall } from '../src/lib/format'
import { ANY, askedRange, momentOf, stepOf } from '../src/lib/range'
import { csvCell, csvLine } from '../src/pages/search/export'

test('no cell of a file is run by a spreadsheet', () => {
  for (const begin of ['=', '+', '-', '@', '\t', '\r'])
    assert.match(csvCell(`${begin}cmd|'/c calc'!A1`), /^"?'/, begin)
  assert.equal(csvCell('a "b", c'), '"a ""b"", c"')
  assert.equal(csvCell(-5), '-5')
  assert.equal(csvCell(null), '')
  assert.equal(csvCell({ a: 1 }), '"{""a"":1}"')
  assert.equal(csvLine(['a', 'b'], { b: '=1', a: 2 }), "2,'=1\r\n")
})

test('times are asked for as they stand in the address', () => {
  assert.deepEqual(askedRange({}), { from: '-24h' })
  assert.deepEqual(askedRange({ from: ANY }), {})
  assert.equal(momentOf('-15m', 1000), 100)
  assert.equal(momentOf('2026-11-26T00:00:00Z', 0), 1_795_651_200)
  assert.equal(momentOf('yesterday', 0), undefined)
  assert.equal(stepOf(900), '15s')
  assert.equal(stepOf(86_400), '1h')
  assert.equal(stepOf(30 * 86_400), '12h')
})

test('moments are written and read by the clocks of Sweden', () => {
  const cases: [string, string][] = [
    ['2026-12-24 08:00', '2026-12-24T07:00:00.000Z'],
    ['2026-07-01 00:30', '2026-06-30T22:30:00.000Z'],
    ['2026-03-29 03:30', '2026-03-29T01:30:00.000Z'],
    ['2026-10-25 03:30', '2026-10-25T02:30:00.000Z'],
    ['2026-10-25 01:30', '2026-10-24T23:30:00.000Z']
  ]
  for (const [wall, moment] of cases) {
    assert.equal(parseWall(wall)?.toISOString(), moment, wall)
    assert.equal(formatWall(new Date(moment)), wall, moment)
  }
  assert.equal(parseWall('tomorrow'), null)
  assert.equal(parseWall('2026-13-01 08:00'), null)
})
