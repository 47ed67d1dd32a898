// SPDX-License-Identifier: EUPL-1.2
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { layOut } from '../src/lib/graph'

const names = [
  { kind: 'user', name: 'anna', alerts: 3 },
  { kind: 'address', name: '10.0.0.1', alerts: 2 },
  { kind: 'host', name: 'dc01', alerts: 1 },
  { kind: 'user', name: 'bo', alerts: 1 }
]

test('two that one alert names are connected, however it writes them', () => {
  const { edges, layers } = layOut(
    names,
    [
      ['Anna', 'DC01.stad.example'],
      ['anna', 'dc01', 'dc01']
    ],
    9
  )
  assert.equal(layers, 2)
  assert.deepEqual(
    edges.map((e) => [e.from.name, e.to.name, e.alerts]),
    [['anna', 'dc01', 2]]
  )
})

test('what has no room, what nobody knows and what is connected with nothing is left out', () => {
  const { nodes, edges } = layOut(
    names,
    [
      ['bo', '10.0.0.1'],
      ['anna', 'bo'],
      ['anna', 'x']
    ],
    1
  )
  assert.deepEqual(
    nodes.map((n) => n.name),
    []
  )
  assert.deepEqual(edges, [])
})
